// Adds a step: an action, then where.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import type { Edit, LookedDocument, LookedPart } from '../../api/schema';
import { Choice, Confirm, Field } from '../../ui/Confirm';
import { Failed } from '../../ui/State';
import { Sentence, Text } from '../../ui/Text';

export function Add({ doc, beside, close, add }: { doc: LookedDocument; beside: LookedPart | null; close: () => void; add: (e: Edit) => Promise<void> }) {
  const asked = useAsk('listActions', {}, { fixed: true });
  const [find, setFind] = useState('');
  const [uses, setUses] = useState('');
  const lists = (doc.parts ?? []).filter((p) => p.list).map((p) => p.path);
  const [where, setWhere] = useState(beside && !beside.list ? 'after' : beside?.list ? beside.path : 'steps');
  const list = (asked.data?.actions ?? []).filter((a) => !find || `${a.name} ${a.summary}`.toLowerCase().includes(find.toLowerCase()));
  const chosen = asked.data?.actions.find((a) => a.name === uses);
  const place = where === 'after' && beside ? { after: beside.path } : where === 'before' && beside ? { before: beside.path } : { into: where };
  const needs = Object.fromEntries((chosen?.inputs ?? []).filter((f) => f.required).map((f) => [f.name, f.default ?? (f.type === 'list' ? [] : f.type === 'map' ? {} : f.type === 'number' ? 0 : f.type === 'boolean' ? false : '…')]));
  const step = { uses, ...(Object.keys(needs).length ? { with: needs } : {}) };
  const places: [string, string][] = [
    ...(beside && !beside.list ? [['after', 'after the chosen step'], ['before', 'before the chosen step']] as [string, string][] : []),
    ...[...new Set(['steps', ...lists])].map((p): [string, string] => [p, `at the end of ${p}`]),
  ];
  return (
    <Confirm wide title="Add a step" does={uses ? `Add ${uses}` : 'Add it'} reason="none" close={close} asking={{ isPending: false, error: null }} ready={uses !== ''} submit={() => { void add({ do: 'add', ...place, value: step }); }}>
      <Field label="Find an action" value={find} set={setFind} autoFocus placeholder="shell, http, approve, …" />
      {asked.error ? <Failed error={asked.error} /> : null}
      <ul className="editor-actions" role="listbox" aria-label="Actions">{list.map((a) => (
        <li key={a.name} role="option" aria-selected={a.name === uses} tabIndex={0} onClick={() => setUses(a.name)} onKeyDown={(e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); setUses(a.name); } }}>
          <strong className="mono"><Text of={a.name} max={60} /></strong> {a.effect ? <span className={`tag ${a.effect === 'mutate' ? 'wait' : ''}`}>{a.effect}</span> : null} <span className="dim"><Sentence of={a.summary} /></span>
        </li>
      ))}</ul>
      <Choice label="Where" value={where} set={setWhere} of={places} />
    </Confirm>
  );
}
