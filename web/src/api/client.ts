// The way to the server: one typed function for every operation of the contract. It knows what a problem is, repeats
// nothing by itself, and waits while somebody signs on again, so that what was typed is not lost.
import { lostAt } from './live';
import { renew } from './session';
import { type Operations, type Problem, ways } from './schema';

export type Op = keyof Operations;
export type Answer<O extends Op> = Operations[O]['answer'];

type Part<K extends string, T> = [T] extends [never] ? unknown : {} extends T ? { [k in K]?: T } : { [k in K]: T };

/** What an operation is asked with: the parts of its path, its query, its body. */
export type Args<O extends Op> = Part<'path', Operations[O]['path']> & Part<'query', Operations[O]['query']> & Part<'body', Operations[O]['body']>;

/** An answer that says no: the server's problem document, or that the server did not answer. */
export class Refusal extends Error {
  readonly problem: Problem;
  readonly status: number;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'Refusal';
    this.problem = problem;
    this.status = problem.status;
  }

  /** The server did not answer: it is away, or the network is. */
  get away(): boolean { return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504; }
  get forbidden(): boolean { return this.status === 403; }
  get missing(): boolean { return this.status === 404; }
  /** What was looked at is another by now. */
  get outdated(): boolean { return this.status === 412 || this.status === 409; }
}

export interface Ask {
  signal?: AbortSignal | undefined;
  /** Makes a repeat safe. Without one, each call that is not a look gets its own. */
  key?: string;
  /** The state that the person saw (ETag): another one is refused. */
  match?: string;
}

interface Loose { path?: Record<string, string>; query?: Record<string, unknown>; body?: unknown }

/** Where an operation is, with its parameters in place. */
export function address<O extends Op>(op: O, args: Args<O>): string {
  const { path = {}, query = {} } = args as Loose;
  const [, pattern = ''] = ways[op].split(' ');
  let url = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) {
    if (v === undefined || v === null || v === '' || v === false) continue;
    search.set(k, Array.isArray(v) ? v.join(',') : String(v));
  }
  const text = search.toString();
  if (text) url += `?${text}`;
  return url;
}

/** Lists show the beginning of a text; a label from outside can have a megabyte. */
const lists = new Set<Op>(['listRuns', 'listTasks', 'listIncidents', 'listEvents']);

/** Asks, and gives the answer or throws a Refusal. */
export async function call<O extends Op>(op: O, args: Args<O>, ask: Ask = {}): Promise<Answer<O>> {
  const { body } = args as Loose;
  const url = address(op, lists.has(op) ? ({ ...(args as Loose), query: { cut: 2000, ...(args as Loose).query } } as Args<O>) : args);
  const [method = 'GET'] = ways[op].split(' ');
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['Idempotency-Key'] = ask.key ?? crypto.randomUUID();
  if (ask.match) headers['If-Match'] = ask.match;
  const init: RequestInit = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
  for (;;) {
    const gone = lostAt();
    try {
      const answer = await send(url, { ...init, signal: ask.signal ? AbortSignal.any([ask.signal, gone]) : gone });
      if (answer.status === 204) return undefined as Answer<O>;
      const type = answer.headers.get('Content-Type') ?? '';
      return (type.includes('json') && !type.includes('jsonl') ? await answer.json() : await answer.text()) as Answer<O>;
    } catch (e) {
      // Nobody answers on a connection that was lost. Its key makes the repeat safe.
      if (gone.aborted && !ask.signal?.aborted) continue;
      throw e;
    }
  }
}

/** What becomes of a request that nobody answered: what only looks is asked again, an act is not. */
export const silent = (method = 'GET'): string => (method === 'GET' ? 'It is asked again by itself.' : 'Whether it was done is not known, and it is not sent again by itself: look, then do it again.');

/** A request as fetch makes it, with our errors. Whoever is not signed on is asked to, and then it is sent again. */
export async function send(url: string, init: RequestInit): Promise<Response> {
  for (;;) {
    let answer: Response;
    try {
      answer = await fetch(url, { credentials: 'same-origin', ...init });
    } catch (e) {
      if (e instanceof DOMException && e.name === 'AbortError') throw e;
      throw new Refusal({ status: 0, title: 'No answer', detail: 'The server does not answer.', kind: 'unavailable', next: silent(init.method) } as Problem);
    }
    if (answer.ok) return answer;
    if (answer.status === 401 && (await renew(init.signal ?? undefined))) continue;
    throw new Refusal(await problemOf(answer));
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  try {
    const p = (await answer.json()) as Problem;
    if (typeof p.detail === 'string') return { ...p, status: answer.status };
  } catch {
    // It is not one of ours: a proxy's page.
  }
  return { status: answer.status, title: answer.statusText, detail: `The server answers ${answer.status}.`, kind: 'internal' } as Problem;
}
