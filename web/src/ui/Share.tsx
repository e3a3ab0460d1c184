// A part of a whole, as a number with a small bar. Where there is nothing to have a part of, a dash, with the reason.
import './share.css';

export function Share({ part, of, none, small }: { part: number; of: number; none: string; small?: boolean }) {
  if (!of) return <span className="dim share-none" title={none}>–<span className="sr"> ({none})</span></span>;
  const percent = Math.round((100 * part) / of);
  return (
    <span className="share" title={`${part} of ${of}`}>
      {small ? null : <svg className="share-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden><rect width="100" height="6" className="share-rest" /><rect width={percent} height="6" className={percent === 100 ? 'share-all' : 'share-part'} /></svg>}
      <span className="share-says">{percent} %</span>
    </span>
  );
}
