// Who did what: a search in the audit trail.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { address, call } from '../../api/client';
import { useMay } from '../../app/me';
import { useParam } from '../../app/router';
import { useTitle } from '../../app/title';
import { day, parse } from '../../lib/time';
import { Filters, Find, Pick, Segments } from '../../ui/Filters';
import { Failed, Loading } from '../../ui/State';
import { Sentence } from '../../ui/Text';
import { serverNow, useZone } from '../../ui/Time';
import { Day } from './Day';
import { One } from './One';
import { done, known } from './sentence';
import { dayOf, sinceOf, spans } from './since';
import { Verify } from './Verify';
import './audit.css';

const enough = 40; // records on the screen before somebody asks for more

export default function Audit() {
  useTitle('Audit');
  const may = useMay();
  const zone = useZone();
  const [who, setWho] = useParam('who');
  const [what, setWhat] = useParam('what');
  const [object, setObject] = useParam('object');
  const [view, setView] = useParam('view');
  const [span, setSpan] = useParam('span');
  const [from, setFrom] = useParam('from');
  const [to, setTo] = useParam('to');
  const since = dayOf(from, zone) || (span ? sinceOf(span, serverNow()) : '');
  const until = dayOf(to, zone, 1);
  const query = { ...(who ? { who } : {}), ...(what ? { what } : {}), ...(object ? { object } : {}), ...(view === 'refused' ? { denied: true } : {}), ...(since ? { since } : {}), ...(until ? { until } : {}) };
  const found = useInfiniteQuery({
    queryKey: ['searchAudit', who, what, object, view === 'refused', span, from, to, zone],
    queryFn: ({ pageParam, signal }) => call('searchAudit', { query: { ...query, limit: 200, cursor: pageParam } }, { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  });
  const all = found.data?.pages.flatMap((p) => p.records) ?? [];
  // Rights that were looked at are most of the trail; they are shown to whoever asks for them.
  const records = view || what ? all : all.filter(done);
  const damaged = found.data?.pages.flatMap((p) => p.damaged ?? []) ?? [];
  const short = records.length < enough && found.hasNextPage && !found.isFetchingNextPage && (found.data?.pages.length ?? 0) < 20;
  const { fetchNextPage } = found;
  useEffect(() => { if (short) void fetchNextPage(); }, [short, fetchNextPage]);
  const clear = who || what || object || span || from || to ? () => { for (const set of [setWho, setWhat, setObject, setSpan, setFrom, setTo]) set(null); } : undefined;
  return (
    <>
      <header className="head">
        <h1>Audit</h1>
        <span className="end">
          {may('audit') ? <Verify /> : null}
          <a className="button" href={address('exportAudit', { query })} download="audit.jsonl">Export what is found</a>
        </span>
      </header>
      <Filters clear={clear}>
        <Segments label="Which" value={view} set={setView} of={[{ value: '', label: 'Done' }, { value: 'refused', label: 'Refused', glyph: 'refused' }, { value: 'all', label: 'Everything' }]} />
        <Find label="Who" value={who} set={setWho} placeholder="anybody" width="6rem" />
        <Find label="What" value={what} set={setWhat} whole list={known} placeholder="anything" width="6.5rem" />
        <Find label="Object" value={object} set={setObject} placeholder="run, guard" width="6rem" />
        <Pick label="Time" value={span} set={setSpan} of={spans} any="any" />
        <Day label="From" value={from} set={setFrom} />
        <Day label="To" value={to} set={setTo} />
      </Filters>
      {damaged.length ? <div className="panel audit-damaged" role="alert"><strong className="tone-bad">The trail is damaged</strong>{damaged.slice(0, 5).map((p, i) => <Sentence key={i} of={p.detail} />)}</div> : null}
      {found.data === undefined ? (found.error ? <Failed error={found.error} retry={() => { void found.refetch(); }} /> : <div className="panel"><Loading lines={12} /></div>)
        : records.length === 0 ? <p className="dim">{found.isFetchingNextPage || short ? 'Looking further back…' : 'Nothing is recorded like that.'}</p>
          : (
            <div className="panel">
              <ol className="audit" aria-label="Records">{records.map((r, i) => {
                const d = day(parse(r.at), zone);
                const above = records[i - 1];
                return <One key={`${r.stream}/${r.seq}`} of={r} day={!above || day(parse(above.at), zone) !== d ? d : undefined} find={{ who: setWho, object: setObject }} />;
              })}</ol>
            </div>
          )}
      {found.hasNextPage && records.length ? <div className="more"><button type="button" className="button small" disabled={found.isFetchingNextPage} onClick={() => { void found.fetchNextPage(); }}>{found.isFetchingNextPage ? 'Asking for more' : 'Show older ones'}</button></div> : null}
    </>
  );
}
