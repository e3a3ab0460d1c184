import { createStore, useStore } from '../lib/store';
import { Dialog } from '../ui/Dialog';
import { bound } from './keys';

const open = createStore(false);
export const openHelp = () => open.set(true);

/** What the keys do here, as they are bound now. */
export function Help() {
  if (!useStore(open)) return null;
  const all = bound();
  const close = () => open.set(false);
  return (
    <Dialog title="Keys" close={close} foot={<button type="button" className="button" autoFocus onClick={close}>Close</button>}>
      <dl className="keys">
        {all.map((b) => (
          <div key={b.keys}><dt>{b.keys.split(' ').map((k, i) => <kbd key={i}>{k.replace('mod+', mac ? '⌘' : 'Ctrl ').replace('Escape', 'Esc').replace('ArrowLeft', '←').replace('ArrowRight', '→')}</kbd>)}</dt><dd>{b.does}</dd></div>
        ))}
      </dl>
    </Dialog>
  );
}

export const mac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);
