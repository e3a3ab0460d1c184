import type { Mode } from '../../api/schema';
import { scopeOf } from '../../lib/scope';
import { Text } from '../../ui/Text';
import { Ago } from '../../ui/Time';
import { says } from './Do';

/** The server's mode, then the exceptions of it; and where monitoring is silent. */
export function Modes({ list, blind }: { list: Mode[]; blind: Record<string, string> }) {
  return (
    <section className="panel" aria-label="Modes">
      <ul className="rows guards-modes">
        {list.map((m, i) => (
          <li key={i}><strong className={m.mode === 'auto' ? undefined : 'tone-wait'}>{m.mode}</strong><span>{i === 0 ? 'the server' : <Text of={scopeOf(m)} max={120} />}</span><span className="dim">{says[m.mode] ?? ''}</span></li>
        ))}
        {Object.entries(blind).map(([name, since]) => <li key={name}><strong className="tone-wait">silent</strong><span><Text of={name} max={80} /></span><span className="dim">Nothing is heard since <Ago at={since} />: guards that need it stand down.</span></li>)}
      </ul>
    </section>
  );
}
