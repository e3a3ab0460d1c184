// Who did what: a search in the audit trail.
import { useInfiniteQuery } from '@tanstack/react-query';

import { address, call } from '../../api/client';
import { useTell } from '../../api/query';
import type { AuditRecord } from '../../api/schema';
import { useMay } from '../../app/me';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { Choice, Field } from '../../ui/Confirm';
import { Empty, Failed, Loading } from '../../ui/State';
import { Status } from '../../ui/Status';
import { Data, Sentence, Text } from '../../ui/Text';
import { At } from '../../ui/Time';
import { spans, sinceOf } from './since';
import './audit.css';

export default function Audit() {
  useTitle('Audit');
  const may = useMay();
  const [who, setWho] = useParam('who');
  const [what, setWhat] = useParam('what');
  const [object, setObject] = useParam('object');
  const [denied, setDenied] = useParam('denied');
  const [span, setSpan] = useParam('span');
  const query = { ...(who ? { who } : {}), ...(what ? { what } : {}), ...(object ? { object } : {}), ...(denied ? { denied: true } : {}), ...(span ? { since: sinceOf(span, Date.now()) } : {}) };
  const found = useInfiniteQuery({
    queryKey: ['searchAudit', who, what, object, denied, span],
    queryFn: ({ pageParam, signal }) => call('searchAudit', { query: { ...query, limit: 100, cursor: pageParam } }, { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  });
  const records = found.data?.pages.flatMap((p) => p.records) ?? [];
  const damaged = found.data?.pages.flatMap((p) => p.damaged ?? []) ?? [];
  return (
    <>
      <header className="head">
        <h1>Audit</h1>
        <span className="end">
          {may('audit') ? <Verify /> : null}
          <a className="button" href={address('exportAudit', { query })} download="audit.jsonl">Export what is found</a>
        </span>
      </header>
      <form className="filters" onSubmit={(e) => { e.preventDefault(); void found.refetch(); }}>
        <Field label="Who" value={who} set={setWho} placeholder="anybody" />
        <Field label="What" value={what} set={setWhat} placeholder="anything" />
        <Field label="Object" value={object} set={setObject} placeholder="a run, a playbook, a guard" />
        <Choice label="Since" value={span} set={setSpan} of={spans} any="the beginning" />
        <label className="audit-denied"><input type="checkbox" checked={denied !== ''} onChange={(e) => setDenied(e.target.checked ? 'yes' : null)} /> refused only</label>
      </form>
      <div className="panel">
        {damaged.length ? <div className="state tone-bad" role="alert"><strong>The trail is damaged</strong>{damaged.slice(0, 5).map((p, i) => <Sentence key={i} of={p.detail} />)}</div> : null}
        {found.data === undefined ? (found.error ? <Failed error={found.error} retry={() => { void found.refetch(); }} /> : <Loading lines={8} />)
          : records.length === 0 ? <Empty title="Nothing is recorded like that" />
            : <ol className="rows">{records.map((r) => <One key={`${r.stream}/${r.seq}`} of={r} />)}</ol>}
        {found.hasNextPage ? <div className="more"><button type="button" className="button small" disabled={found.isFetchingNextPage} onClick={() => { void found.fetchNextPage(); }}>Show older ones</button></div> : null}
      </div>
    </>
  );
}

function One({ of: r }: { of: AuditRecord }) {
  const no = r.allowed === false;
  return (
    <li>
      <details className="audit-one">
        <summary>
          <At at={r.at} />
          <span className="what">{no ? <Status of="refused" says="" /> : null}<strong><Text of={r.what ?? r.kind} max={80} /></strong></span>
          <span className="clip"><Text of={r.by?.name} max={80} /> {r.object ? <span className="mono"><Text of={r.object} max={120} /></span> : null} <span className="dim"><Text of={r.why} max={200} /></span></span>
          {r.erased ? <span className="tag">erased</span> : null}
        </summary>
        <Data of={r} max={20_000} />
      </details>
    </li>
  );
}

function Verify() {
  const verify = useTell('verifyAudit');
  return (
    <>
      <span role="status" className={verify.error || verify.data?.damaged.length ? 'tone-bad' : 'dim'}>{verify.isPending ? 'Reading the whole chain…' : verify.error ? <Sentence of={verify.error.message} /> : verify.data ? (verify.data.damaged.length ? `Damaged: ${verify.data.damaged[0]?.detail ?? ''}` : `The chain holds: ${verify.data.entries.toLocaleString()} entries.`) : ''}</span>
      <button type="button" className="button" disabled={verify.isPending} onClick={() => verify.mutate({})}>Verify the chain</button>
    </>
  );
}
