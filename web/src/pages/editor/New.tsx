// A playbook that is not there yet, from an event or from nothing: where it is to be and how it is called, then the editor with its first draft.
import { type FormEvent, useState } from 'react';

import { useAsk } from '../../api/query';
import type { Repository, Sketch } from '../../api/schema';
import { useMay } from '../../app/me';
import { Link, to, useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Choice, Field } from '../../ui/Confirm';
import { Empty, Shown } from '../../ui/State';
import { Text } from '../../ui/Text';
import { Desk } from './Desk';
import { blank } from './blank';
import { fileIn, wrongName } from './model';

export default function New() {
  const { event = '' } = useParts();
  const may = useMay();
  const [repository] = useParam('repository');
  const [name] = useParam('name');
  const begun = repository !== '' && !wrongName(name);
  const sketch = useAsk('sketchPlaybook', { path: { event }, query: begun ? { name } : {} }, { fixed: true, when: event !== '' });
  const all = useAsk('listRepositories', {}, { keep: true });
  useTitle(begun ? `Write ${name}` : event ? 'A playbook from an event' : 'A new playbook');
  const page = (drafted: Sketch) => (
    <Shown of={all} lines={10}>{(d) => {
      const list = d.repositories.filter((r) => may('publish', r.project) || may('start', r.project));
      const into = list.find((r) => r.name === repository);
      if (begun && into) return <Desk key={`${repository}/${name}`} name={name} source={{ base: '', file: fileIn(into.path, drafted.file), first: drafted.text, repository, text: '' }} />;
      return <Begin event={event} sketch={drafted} list={list} />;
    }}</Shown>
  );
  return event ? <Shown of={sketch} what="event" lines={10}>{page}</Shown> : page(blank(begun ? name : ''));
}

function Begin({ event, sketch, list }: { event: string; sketch: Sketch; list: Repository[] }) {
  const [, setRepository] = useParam('repository');
  const [, setName] = useParam('name');
  const [into, choose] = useState(list[0]?.name ?? '');
  const [called, call] = useState(sketch.name);
  const wrong = wrongName(called);
  const begin = (e: FormEvent) => {
    e.preventDefault();
    if (wrong || !into) return;
    setName(called);
    setRepository(into);
  };
  return (
    <>
      <header className="head"><h1>{event ? 'A playbook from an event' : 'A new playbook'}</h1>{event ? <span className="dim"><Link to={to.event(event)}><Text of={event} max={60} /></Link></span> : null}</header>
      {list.length ? (
        <form className="panel editor-new" onSubmit={begin} aria-label="The new playbook">
          <div className="body confirm">
            <p>{event ? 'Its labels become parameters, a trigger takes events like it, and the first steps only look. ' : 'It begins with a step that only looks. '}You go on from there; nothing is live before it is reviewed and merged.</p>
            <Choice label="Repository" value={into} set={choose} of={list.map((r) => [r.name, `${r.name}: ${r.project}${r.environment ? `, ${r.environment}` : ''}`] as const)} />
            <Field label="Name" value={called} set={call} wrong={wrong} required autoFocus />
            <p><button type="submit" className="button primary" disabled={Boolean(wrong)}>Write it</button></p>
          </div>
        </form>
      ) : <div className="panel"><Empty title="There is no repository that you could write for">The server’s file names them under <code>repositories</code>.</Empty></div>}
    </>
  );
}
