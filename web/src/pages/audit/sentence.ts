// A record of the trail as a sentence: who, what, on what.
import type { AuditRecord } from '../../api/schema';

const does: Record<string, string> = {
  'token-made': 'made the token', 'token-revoked': 'revoked the token', 'emergency-login': 'signed on in an emergency with the token', 'setup-login': 'signed on for the first time with the token',
  'binding-set': 'bound a role:', 'binding-removed': 'took the binding away:', 'handed-over': 'handed something over:', forgotten: 'forgot, because its time was over:',
  halted: 'halted', unhalted: 'ended the halt of', 'mode-set': 'set the mode of', 'guard-overridden': 'loosened the guard', 'override-ended': 'ended the loosening of the guard',
  'change-approved': 'approved the change', 'change-ended': 'ended the change', 'change-proposed': 'proposed a change of', 'revision-live': 'made a revision live:', 'revision-refused': 'refused a revision:',
  'revision-pinned': 'pinned a revision:', 'revision-unpinned': 'unpinned', 'glass-broken': 'broke the glass on', 'glass-reviewed': 'reviewed the broken glass of', redacted: 'redacted', released: 'released', 'called-back': 'called back',
  'incident-opened': 'opened the incident', 'incident-updated': 'updated the incident', 'incident-commented': 'commented on the incident', 'incident-resolved': 'resolved the incident', 'incident-reopened': 'reopened the incident',
  'incident-merged': 'merged the incident', 'incident-split': 'split the incident', 'incident-paged': 'paged people about the incident', 'incident-taken': 'took the incident', 'incident-planned': 'planned something for the incident',
};

/** Words for what people may do; the verbs of package access. */
const verbs: Record<string, string> = {
  view: 'look at', write: 'change', start: 'start', control: 'control', approve: 'approve', answer: 'answer', halt: 'halt', unhalt: 'end the halt of', override: 'loosen', publish: 'publish', audit: 'read the trail of',
  manage: 'manage', request: 'ask for', take: 'take', own: 'use', break: 'break the glass on', redact: 'redact', reveal: 'reveal',
};

export interface Sentence { who: string; says: string; object: string; denied: boolean }

export function sentenceOf(r: AuditRecord): Sentence {
  const who = r.by?.name || r.by?.id || 'tend';
  const what = r.what ?? r.kind;
  const object = r.object ?? '';
  if (r.kind === 'access-decided') {
    const verb = verbs[what] ?? what;
    const of = object ? (r.of && !object.startsWith(r.of) ? `${r.of} ` : '') : (r.of ? `any ${r.of}` : 'the server');
    return { who, says: `${r.allowed === false ? 'was not let' : 'was let'} ${verb} ${of}`.trimEnd(), object, denied: r.allowed === false };
  }
  if (r.kind === 'run-sealed') return { who: '', says: 'The run ended:', object, denied: false };
  return { who, says: does[what] ?? what.replaceAll('-', ' '), object, denied: r.allowed === false };
}

/** Whether something was done, and not only a right was looked at. */
export const done = (r: AuditRecord) => r.kind !== 'access-decided' || r.allowed === false;

/** What can be searched for, for the list under the field. */
export const known = [...Object.keys(does), 'ended', ...Object.keys(verbs)].sort();
