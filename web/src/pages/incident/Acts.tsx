// What a person does to an incident, each as a dialog that says what will happen.
import { useState } from 'react';

import { useAsk, useTell } from '../../api/query';
import type { Incident, IncidentChange } from '../../api/schema';
import { useMe } from '../../app/me';
import { go, to } from '../../app/router';
import { Choice, Confirm, Field } from '../../ui/Confirm';
import { severities } from '../../ui/Severity';
import { Text } from '../../ui/Text';
import { serverNow } from '../../ui/Time';
import { toast } from '../../ui/Toasts';
import { changed, inMinutes, labelsChanged, labelsWrong, linksChanged, linksWrong, people } from './change';

export type Act = 'update' | 'roles' | 'links' | 'mitigate' | 'back' | 'resolve' | 'reopen' | 'page' | 'merge' | 'split';

interface Props { d: Incident; close: () => void }

export function Acts({ act, ...p }: Props & { act: Act }) {
  switch (act) {
    case 'update': return <Update {...p} />;
    case 'roles': return <Roles {...p} />;
    case 'links': return <LinksAndLabels {...p} />;
    case 'back': return <Back {...p} />;
    case 'mitigate': return <Mitigate {...p} />;
    case 'resolve': return <Resolve {...p} />;
    case 'reopen': return <Reopen {...p} />;
    case 'page': return <PageSomebody {...p} />;
    case 'merge': return <Merge {...p} />;
    case 'split': return <Split {...p} />;
  }
}

const path = (d: Incident) => ({ incident: d.id });

function Update({ d, close }: Props) {
  const [title, setTitle] = useState(d.title);
  const [severity, setSeverity] = useState(d.severity);
  const [summary, setSummary] = useState(d.summary ?? '');
  const [next, setNext] = useState(d.next ?? '');
  const [minutes, setMinutes] = useState('');
  const tell = useTell('updateIncident');
  const by = inMinutes(minutes, serverNow());
  const change: IncidentChange = changed(d, { title: title.trim(), severity, summary, next });
  if (by) change.nextBy = by;
  // A next step that is another one has no time of the one before.
  else if (change.next !== undefined && d.nextBy) change.nextBy = never;
  return (
    <Confirm wide title="How it stands" does="Tell everybody" close={close} asking={tell} ready={Object.keys(change).length > 0 && by !== null}
      submit={(why) => tell.mutate({ path: path(d), body: { ...change, ...(why ? { why } : {}) } }, { onSuccess: () => { toast('The incident says so.'); close(); } })}>
      <Field label="Summary: what is known" value={summary} set={setSummary} lines={3} autoFocus />
      <div className="incident-two">
        <Field label="Next step" value={next} set={setNext} />
        <Field label="Expected in, minutes" value={minutes} set={setMinutes} placeholder={d.nextBy && change.next === undefined ? 'as it was' : 'not said'} wrong={by === null ? 'A number of minutes, as 20.' : undefined} hint="A reminder comes when it is over." />
      </div>
      <div className="incident-two">
        <Field label="Title" value={title} set={setTitle} required />
        <Choice label="Severity" value={severity} set={setSeverity} of={severities} />
      </div>
    </Confirm>
  );
}

const never = '0001-01-01T00:00:00Z';

function Roles({ d, close }: Props) {
  const me = useMe();
  const name = me.data?.name || me.data?.id || '';
  const [commander, setCommander] = useState(d.commander ?? '');
  const [responders, setResponders] = useState((d.responders ?? []).join(', '));
  const [stakeholders, setStakeholders] = useState((d.stakeholders ?? []).join(', '));
  const tell = useTell('updateIncident');
  const known = [...new Set([name, ...(d.responders ?? []), ...(d.stakeholders ?? [])].filter(Boolean))];
  const change = changed(d, { commander: commander.trim(), responders: people(responders), stakeholders: people(stakeholders) });
  return (
    <Confirm title="Who is who" does="Change it" close={close} asking={tell} ready={Object.keys(change).length > 0}
      submit={(why) => tell.mutate({ path: path(d), body: { ...change, ...(why ? { why } : {}) } }, { onSuccess: () => { toast('It is changed.'); close(); } })}>
      <Field label="Commander" value={commander} set={setCommander} list={known} hint="Decides what is done, and by whom." autoFocus />
      <Field label="Responders" value={responders} set={setResponders} hint="Work on it. With commas between them." />
      <Field label="Stakeholders" value={stakeholders} set={setStakeholders} hint="Are told what changes. With commas between them." />
    </Confirm>
  );
}

function LinksAndLabels({ d, close }: Props) {
  const [links, setLinks] = useState((d.links ?? []).map((l) => [l.url, l.name].filter(Boolean).join(' ')).join('\n'));
  const [labels, setLabels] = useState(Object.entries(d.labels ?? {}).map(([k, v]) => `${k}=${v}`).join('\n'));
  const tell = useTell('updateIncident');
  const wrong = linksWrong(links);
  const bad = labelsWrong(labels);
  const change: IncidentChange = { ...linksChanged(d.links ?? [], links), ...labelsChanged(d.labels ?? {}, labels) };
  return (
    <Confirm wide title="Links and labels" does="Change them" reason="none" close={close} asking={tell} ready={!wrong && !bad && Object.keys(change).length > 0} submit={() => tell.mutate({ path: path(d), body: change }, { onSuccess: () => { toast('They are changed.'); close(); } })}>
      <Field label="Links, one in a line: the address, then what it is called" value={links} set={setLinks} lines={4} wrong={wrong} placeholder="https://grafana.example.org/d/checkout Dashboard" autoFocus />
      <Field label="Labels, one in a line" value={labels} set={setLabels} lines={4} wrong={bad} placeholder="service=checkout" />
    </Confirm>
  );
}

function Back({ d, close }: Props) {
  const tell = useTell('updateIncident');
  return <Confirm title="Put it back to open" does="Put it back" close={close} asking={tell} submit={(why) => tell.mutate({ path: path(d), body: { status: 'open', ...(why ? { why } : {}) } }, { onSuccess: close })}><p>Everybody sees that nobody has it in hand.</p></Confirm>;
}

function Mitigate({ d, close }: Props) {
  const tell = useTell('updateIncident');
  return <Confirm title="It is mitigated" does="Say it is mitigated" close={close} asking={tell} submit={(why) => tell.mutate({ path: path(d), body: { status: 'mitigated', ...(why ? { why } : {}) } }, { onSuccess: close })}><p>Users no longer notice it. The incident stays until it is resolved.</p></Confirm>;
}

function Resolve({ d, close }: Props) {
  const tell = useTell('resolveIncident');
  return (
    <Confirm title="Resolve the incident" does="Resolve it" close={close} asking={tell} submit={(why) => tell.mutate({ path: path(d), body: { why } }, { onSuccess: () => { toast('The incident is resolved.'); close(); } })}>
      {d.firing > 0 ? <p className="tone-bad">{d.firing === 1 ? 'One alert still fires.' : `${d.firing} alerts still fire.`} If they go on, they may open it again.</p> : <p>Nothing fires any more.</p>}
    </Confirm>
  );
}

function Reopen({ d, close }: Props) {
  const tell = useTell('reopenIncident');
  return <Confirm title="Reopen the incident" does="Reopen it" reason="required" close={close} asking={tell} submit={(why) => tell.mutate({ path: path(d), body: { why } }, { onSuccess: close })} />;
}

function PageSomebody({ d, close }: Props) {
  const [who, setWho] = useState('');
  const [message, setMessage] = useState('');
  const tell = useTell('pageIncident');
  return (
    <Confirm title="Page somebody" does="Page them now" reason="none" close={close} asking={tell} ready={people(who).length > 0} submit={() => tell.mutate({ path: path(d), body: { targets: people(who), ...(message ? { message } : {}) } }, { onSuccess: () => { toast('They are paged.'); close(); } })}>
      <Field label="Whom: people, groups or duties" value={who} set={setWho} required autoFocus hint="With commas between them." />
      <Field label="What they are told" value={message} set={setMessage} lines={2} />
    </Confirm>
  );
}

function Merge({ d, close }: Props) {
  const others = useAsk('listIncidents', { query: { status: ['open', 'acknowledged', 'mitigated'], limit: 100 } });
  const [into, setInto] = useState('');
  const tell = useTell('mergeIncident');
  const list = (others.data?.rows ?? []).filter((r) => r.id !== d.id && r.project === d.project);
  return (
    <Confirm title="Merge into another incident" does="Merge it" close={close} asking={tell} ready={into !== ''} submit={(why) => tell.mutate({ path: path(d), body: { into, ...(why ? { why } : {}) } }, { onSuccess: () => { toast('It is merged.'); go(to.incident(into)); } })}>
      {list.length || !others.data ? <Choice label="Into" value={into} set={setInto} any="choose one" of={list.map((r) => [r.id, `${(r.name ?? '').slice(0, 80)} (${r.id})`] as const)} /> : <p>No other incident of this project goes on.</p>}
      <p className="dim">What fires and what runs moves there; this one ends.</p>
    </Confirm>
  );
}

function Split({ d, close }: Props) {
  const [chosen, setChosen] = useState<string[]>([]);
  const [title, setTitle] = useState('');
  const tell = useTell('splitIncident');
  const members = d.members ?? [];
  const id = (m: { source: string; group?: string; event: string }) => `${m.source}\n${m.group ?? m.event}`;
  return (
    <Confirm wide title="Split some alerts off" does="Open another incident with them" close={close} asking={tell} ready={title.trim() !== '' && chosen.length > 0 && chosen.length < members.length}
      submit={(why) => tell.mutate({ path: path(d), body: { title: title.trim(), members: members.filter((m) => chosen.includes(id(m))).map((m) => ({ source: m.source, group: m.group ?? '' })), ...(why ? { why } : {}) } }, { onSuccess: (i) => { toast('Another incident is open.'); go(to.incident(i.id)); } })}>
      <Field label="Title of the other one" value={title} set={setTitle} required autoFocus />
      <fieldset className="incident-choose"><legend>Its alerts; at least one stays</legend>
        {members.map((m) => <label key={id(m)}><input type="checkbox" checked={chosen.includes(id(m))} onChange={(e) => setChosen((was) => (e.target.checked ? [...was, id(m)] : was.filter((x) => x !== id(m))))} /> <Text of={m.name || m.group || m.event} max={120} /></label>)}
      </fieldset>
    </Confirm>
  );
}
