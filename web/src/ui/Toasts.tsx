// Short words about what was just done, at the edge. They never hold what can only be read there.
import { Refusal } from '../api/client';
import { createStore, useStore } from '../lib/store';
import { Sentence } from './Text';

interface Toast { id: number; tone: 'good' | 'bad'; text: string; next?: string | undefined }

const toasts = createStore<Toast[]>([]);
let n = 0;

export function toast(text: string, tone: 'good' | 'bad' = 'good', next?: string) {
  const id = ++n;
  toasts.set((all) => [...all.slice(-3), { id, tone, text, next }]);
  setTimeout(() => dismiss(id), tone === 'good' ? 5000 : 12_000);
}

/** Tells of an error: the server's sentence, and what to do. */
export function toastError(e: unknown) {
  if (e instanceof Refusal) toast(e.message, 'bad', e.problem.next);
  else toast(e instanceof Error ? e.message : String(e), 'bad');
}

const dismiss = (id: number) => toasts.set((all) => all.filter((t) => t.id !== id));

export function Toasts() {
  const all = useStore(toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map((t) => (
        <div key={t.id} className={`toast ${t.tone}`}>
          <span><Sentence of={t.text} />{t.next ? <span className="next"> <Sentence of={t.next} /></span> : null}</span>
          <button type="button" className="button plain small" aria-label="Dismiss" onClick={() => dismiss(t.id)}>×</button>
        </div>
      ))}
    </div>
  );
}
