// How far something is, as a line of steps: what is behind, where it stands, what comes.
import { Glyph, lookOf } from './Status';
import './track.css';

export interface Stop { says: string; status: string; here?: boolean }

export function Track({ of, label }: { of: Stop[]; label: string }) {
  return (
    <ol className="track" aria-label={label}>{of.map((s) => (
      <li key={s.says} data-here={s.here || undefined} data-tone={lookOf(s.status).tone} {...(s.here ? { 'aria-current': 'step' as const } : {})}><Glyph status={s.status} quiet size={12} /><span>{s.says}</span></li>
    ))}</ol>
  );
}
