// The timeline as sentences: what each line changed against what stood before it, and what belongs together told once.
import type { Incident, IncidentUpdated, Line } from '../../api/schema';

/** A piece of a sentence: words, somebody's name, a moment, or a value. */
export type Piece = string | { who: string } | { at: string } | { value: string };

export interface Said { label: string; text: string }

export interface Moment {
  key: string;
  line: Line;
  /** Done by a person, or by tend and what it watches. */
  by: 'people' | 'machine';
  /** Of an update: what was done, each as a phrase that follows the name of who did it. */
  phrases: Piece[][];
  /** Of an update: longer texts that it set. */
  said: Said[];
  /** Of a step or run that ended: when it began. */
  began?: string;
}

interface Before { severity: string; status: string; title: string; commander: string; responders: string[]; stakeholders: string[] }

const ranks = ['info', 'minor', 'major', 'critical'];

/** What people were asked by a run of the incident, as it stands now. */
export interface Question { id: string; at: string; name: string; status: string; run: string }

/** Statuses after which a run does nothing more. */
export const ended = (status: string) => ['succeeded', 'failed', 'cancelled', 'quarantined', 'not-started'].includes(status);

/** All moments, the oldest first. A question is told once, when it was asked, with what became of it. */
export function moments(d: Pick<Incident, 'timeline'>, questions: Question[] = []): Moment[] {
  const before: Before = { severity: '', status: 'open', title: '', commander: '', responders: [], stakeholders: [] };
  const out: Moment[] = [];
  const going = new Map<string, number>();
  for (const [i, line] of (d.timeline ?? []).entries()) {
    const x = line.detail ?? {};
    const m: Moment = { key: String(i), line, by: machine(line) ? 'machine' : 'people', phrases: [], said: [] };
    if (line.what === 'opened') Object.assign(before, { severity: x.severity ?? '', title: x.name ?? '' });
    if (line.what === 'updated' && x.change) Object.assign(m, told(x.change, before, line.who ?? ''));
    if (line.what === 'resolved') before.status = 'resolved';
    if (line.what === 'reopened') before.status = 'open';
    // What began and ended is told once, when it ended, with how long it took.
    const key = line.what === 'run' && x.path ? `${line.ref} ${x.path}` : line.what === 'ran' ? `ran ${line.ref}` : '';
    if (key) {
      const was = going.get(key);
      if (line.what === 'ran' && !ended(x.status ?? '') && x.status !== 'started') { /* it goes on, and waits */ } else if (x.status === 'began' || x.status === 'started' || x.status === 'asked') going.set(key, out.length);
      else if (was !== undefined && x.status !== 'held') {
        m.began = out[was]?.line.at ?? '';
        if (line.what === 'run') out[was] = { ...(out[was] as Moment), key: '' };
        going.delete(key);
      }
    }
    out.push(m);
  }
  const known = new Set(questions.map((q) => q.id));
  const asked = questions.map((q): Moment => ({ key: q.id, line: { at: q.at, what: 'question', ref: q.run, detail: { task: q.id, name: q.name, status: q.status } }, by: 'machine', phrases: [], said: [] }));
  const lines = out.filter((m) => m.key !== '' && !(m.line.detail?.task && known.has(m.line.detail.task) && m.line.detail.status === 'asked'));
  // Sorting is stable: what happened at one moment stays as it was told.
  return asked.length ? [...lines, ...asked].sort((a, b) => Date.parse(a.line.at) - Date.parse(b.line.at)) : lines;
}

const machine = (l: Line) => l.what === 'joined' || l.what === 'ran' || l.what === 'run' || l.what === 'reminded' || !l.who || l.who === 'tend' || l.who.startsWith('run_') || l.who.startsWith('run:');

function told(c: IncidentUpdated, b: Before, who: string): { phrases: Piece[][]; said: Said[] } {
  const phrases: Piece[][] = [];
  const said: Said[] = [];
  const joined = c.responders?.includes(who) && !b.responders.includes(who);
  if (c.status === 'acknowledged' && joined && b.status === 'open') phrases.push(['took it']);
  else {
    if (c.status && c.status !== b.status) phrases.push(statusPhrase(c.status));
    if (joined) phrases.push(['joined as a responder']);
  }
  if (c.commander !== undefined && c.commander !== b.commander) {
    if (c.commander === who) phrases.push(['took command']);
    else if (c.commander) phrases.push(['gave command to ', { who: c.commander }]);
    else phrases.push(['took command away from ', { who: b.commander || 'nobody' }]);
  }
  if (c.severity && c.severity !== b.severity) {
    const way = ranks.indexOf(c.severity) > ranks.indexOf(b.severity) ? 'raised' : 'lowered';
    phrases.push(b.severity ? [`${way} the severity from ${b.severity} to `, { value: c.severity }] : ['set the severity to ', { value: c.severity }]);
  }
  if (c.title && c.title !== b.title) phrases.push(['called it ', { value: c.title }]);
  phrases.push(...people(c.responders?.filter((p) => p !== who || b.responders.includes(who)), b.responders, 'responder', who));
  phrases.push(...people(c.stakeholders, b.stakeholders, 'stakeholder', who));
  if (c.summary !== undefined) {
    if (c.summary) { phrases.push(['said how it stands']); said.push({ label: '', text: c.summary }); } else phrases.push(['took the summary away']);
  }
  if (c.next !== undefined) {
    if (c.next) { phrases.push(due(c.nextBy) ? ['named the next step, due ', { at: c.nextBy ?? '' }] : ['named the next step']); said.push({ label: 'next', text: c.next }); } else phrases.push(['took the next step off the list']);
  } else if (due(c.nextBy)) phrases.push(['expects the next step ', { at: c.nextBy ?? '' }]);
  if (c.links) phrases.push([c.links.length === 1 ? 'keeps one link' : `keeps ${c.links.length} links`]);
  for (const [k, v] of Object.entries(c.labels ?? {})) phrases.push(typeof v === 'string' ? ['labelled it ', { value: `${k}=${v}` }] : ['took the label ', { value: k }, ' away']);
  Object.assign(b, Object.fromEntries((['severity', 'status', 'title', 'commander', 'responders', 'stakeholders'] as const).filter((k) => c[k] !== undefined).map((k) => [k, c[k]])));
  return { phrases: phrases.length ? phrases : [['changed nothing']], said };
}

const due = (at: string | undefined) => at !== undefined && !at.startsWith('0001-');

function statusPhrase(status: string): Piece[] {
  switch (status) {
    case 'acknowledged': return ['acknowledged it'];
    case 'mitigated': return ['says that it is mitigated'];
    case 'open': return ['put it back to open'];
    default: return ['set it to ', { value: status }];
  }
}

/** Who came and who went. */
function people(is: string[] | undefined, was: string[], role: string, who: string): Piece[][] {
  if (!is) return [];
  const names = (list: string[]): Piece[] => list.flatMap((p, i): Piece[] => [i === 0 ? '' : i === list.length - 1 ? ' and ' : ', ', { who: p }]).filter((p) => p !== '');
  const came = is.filter((p) => !was.includes(p));
  const went = was.filter((p) => !is.includes(p) && p !== who);
  return [
    ...(came.length ? [['added ', ...names(came), ` as ${role}${came.length > 1 ? 's' : ''}`] as Piece[]] : []),
    ...(went.length ? [['let ', ...names(went), ` go as ${role}${went.length > 1 ? 's' : ''}`] as Piece[]] : []),
  ];
}
