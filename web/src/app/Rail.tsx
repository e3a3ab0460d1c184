// The rail: every page, and a number where something waits.
import { useCounts } from './needs';
import { Link } from './router';
import type { Entry } from './routes';
import { useTitleNumber } from './title';

const groups: { id: 'now' | 'know' | 'govern'; label: string }[] = [{ id: 'now', label: 'Now' }, { id: 'know', label: 'Know' }, { id: 'govern', label: 'Govern' }];

export function Rail({ nav, path, shown }: { nav: Entry[]; path: string; shown: boolean }) {
  const counts = useCounts();
  useTitleNumber(counts['/inbox']?.n ?? 0);
  return (
    <nav className="rail" aria-label="Pages" data-shown={shown || undefined}>
      {groups.map((g) => {
        const list = nav.filter((r) => r.nav?.group === g.id);
        return list.length ? (
          <div key={g.id} role="group" aria-label={g.label}>
            {list.map((r) => {
              const here = r.pattern === '/' ? path === '/' : path === r.pattern || path.startsWith(`${r.pattern}/`);
              const waits = counts[r.pattern];
              return (
                <Link key={r.pattern} to={r.pattern} aria-current={here ? 'page' : undefined}>
                  <span>{r.nav?.label}</span>
                  <kbd aria-hidden>{r.nav?.key}</kbd>
                  <b data-tone={waits?.tone}>{waits && waits.n > 0 ? <>{waits.n > 99 ? '99+' : waits.n}<span className="sr"> {waits.says}</span></> : null}</b>
                </Link>
              );
            })}
          </div>
        ) : null;
      })}
    </nav>
  );
}
