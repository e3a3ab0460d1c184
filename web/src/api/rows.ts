// The bodies of rows, which the contract leaves open: as packages engine, dispatch and incident write them.
import type { Cause, Row, Who } from './schema';

export interface WaitOn { path: string; for: string; on?: string; holder?: string; until?: string; why?: string }

export interface RunBody {
  by: Who;
  cause: Cause;
  ended?: string;
  fault?: { kind: string; message: string; path?: string };
  name: string;
  source?: string;
  started?: string;
  status: string;
  undone?: string;
  waits?: WaitOn[];
  acting?: number;
  observed?: number;
}

export interface TaskBody {
  type: 'approve' | 'ask' | 'manual' | 'doubt' | 'review';
  title: string;
  message?: string;
  run: string;
  path: string;
  count?: number;
  from?: string[];
  notRequester?: boolean;
  requester: string;
  requesterID?: string;
  expires?: string;
  default?: string;
  form?: Record<string, unknown>;
  show?: Record<string, unknown>;
  votes?: { answer: string; by: Who; for?: Who; output?: Record<string, unknown>; why?: string }[];
  assignee?: string;
  author?: string;
  notAuthor?: boolean;
  reviews?: string;
  links?: { name?: string; url: string }[];
  comments?: { at: string; by: Who; text: string }[];
  delegated?: { by: Who; to?: string[] }[];
  escalated?: { to?: string[] }[];
}

export const bodyOf = <T>(row: Row): Partial<T> => (row.body ?? {}) as Partial<T>;

/** What a row of kind event says. */
export interface EventBody {
  at: string;
  decision: { by?: Who; guard?: string; incident?: string; outcome: string; playbook?: string; run?: string; trigger?: string; until?: string; why?: string };
  group?: string;
  key: string;
  kind: string;
  labels?: Record<string, string>;
  source: string;
  status?: string;
}
