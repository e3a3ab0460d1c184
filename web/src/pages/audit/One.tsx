// A record: a sentence, and folded in it everything that its hash is made of.
import type { AuditRecord } from '../../api/schema';
import { Link, to } from '../../app/router';
import { person } from '../../lib/text';
import { Glyph } from '../../ui/Status';
import { Data, Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import { sentenceOf } from './sentence';

export function One({ of: r, day, find }: { of: AuditRecord; day: string | undefined; find: { who: (v: string) => void; object: (v: string) => void } }) {
  const s = sentenceOf(r);
  return (
    <li data-denied={s.denied || undefined}>
      {day ? <h2 className="audit-day">{day}</h2> : null}
      <details className="audit-one">
        <summary>
          <At at={r.at} />
          <span className="audit-glyph">{s.denied ? <Glyph status="refused" /> : null}</span>
          <span className="audit-says">{s.who ? <strong><Text of={person(s.who)} max={80} /> </strong> : null}{s.says}{s.object ? <> <span className="mono"><Text of={s.object} max={160} /></span></> : null}{r.why ? <span className="dim">: <Text of={r.why} max={300} /></span> : null}</span>
          {r.erased ? <span className="tag">erased</span> : null}
        </summary>
        <div className="audit-in">
          <dl className="facts">
            <dt>who</dt><dd><Text of={r.by ? `${r.by.name || ''} ${r.by.id}`.trim() : 'tend'} max={200} />{r.by?.from ? <> from <Text of={r.by.from} max={80} /></> : null}{r.by ? <button type="button" className="button plain small" onClick={() => find.who(r.by?.id ?? '')}>only theirs</button> : null}</dd>
            {r.object ? <><dt>object</dt><dd><Goes of={r.object} /> <button type="button" className="button plain small" onClick={() => find.object(r.object ?? '')}>only about it</button></dd></> : null}
            {r.project ? <><dt>project</dt><dd><Text of={r.project} max={80} /></dd></> : null}
            <dt>at</dt><dd><At at={r.at} exact /></dd>
            <dt>record</dt><dd className="mono">{r.stream} {r.seq}</dd>
            <dt>hash</dt><dd className="mono">{r.hash}</dd>
          </dl>
          <Data of={r.payload ?? r.raw} max={20_000} />
        </div>
      </details>
    </li>
  );
}

function Goes({ of }: { of: string }) {
  const at = of.startsWith('run_') ? to.run(of) : of.startsWith('inc_') ? to.incident(of) : of.startsWith('evt_') ? to.event(of) : of.startsWith('task_') ? to.task(of) : '';
  return at ? <Link to={at}>{of}</Link> : <Text of={of} max={300} />;
}
