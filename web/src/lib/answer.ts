// What can be answered to a question, in words: the one home of its choices, for every page on which it is answered. Pure.
import type { FormField } from './form';

export interface Choice {
  choice: string;
  label: string;
  /** What was done, once it is. */
  says: string;
  /** What it means for the run, before it is chosen. */
  means?: string;
  look?: 'primary' | 'danger';
  /** It takes what stands in the form. */
  form?: boolean;
}

const choices: Record<string, Choice[]> = {
  approve: [{ choice: 'approve', label: 'Approve', look: 'primary', says: 'Approved.' }, { choice: 'reject', label: 'Reject', look: 'danger', says: 'Rejected.' }],
  ask: [{ choice: 'answer', label: 'Send the answer', look: 'primary', says: 'Answered.', form: true }],
  manual: [{ choice: 'done', label: 'It is done', look: 'primary', says: 'Done.', form: true }, { choice: 'reject', label: 'It cannot be done', look: 'danger', says: 'Rejected.' }],
  review: [{ choice: 'done', label: 'I looked at it', look: 'primary', says: 'Reviewed.' }],
  doubt: [
    { choice: 'happened', label: 'It happened', says: 'The run goes on as if it succeeded.', means: 'goes on as if it succeeded' },
    { choice: 'not-happened', label: 'It did not happen', says: 'It is attempted again.', means: 'is attempted again' },
    { choice: 'again', label: 'Do it again', look: 'danger', says: 'It is done again, as a new effect.', means: 'as a new effect, once more' },
    { choice: 'fail', label: 'Let it fail', says: 'The step fails.', means: 'the step has failed' },
    { choice: 'skip', label: 'Skip it', says: 'The step is skipped.', means: 'goes on without it' },
  ],
};

export const choicesOf = (type: string): Choice[] => choices[type] ?? [];

const said: Record<string, string> = { approve: 'approved', reject: 'rejected', answer: 'answered', done: 'done', 'break-glass': 'approved alone', happened: 'it happened', 'not-happened': 'it did not happen', again: 'do it again', fail: 'let it fail', skip: 'skip it' };

/** What somebody answered, in words. */
export const saidOf = (answer: string): string => said[answer] ?? answer;

/** The fields of a task's form: declared ones, or the choices of the older dialect as one field `value`. */
export function fieldsOf(form: Record<string, unknown> | undefined): FormField[] {
  if (Array.isArray(form?.['fields'])) return (form['fields'] as FormField[]).map((f) => ({ ...f, type: f.type ?? 'string' }));
  const list = form?.['choices'];
  if (!Array.isArray(list)) return [];
  if (form?.['selector'] === 'multi') return [{ name: 'value', type: 'list', required: true, description: `Of: ${list.map(String).join(', ')}.` }];
  return [{ name: 'value', type: 'string', required: true, enum: list, label: 'Your answer' }];
}

/** What is sent of a form: a question with choices takes one value, or several. */
export function outputOf(fields: FormField[], values: Record<string, unknown>): Record<string, unknown> {
  return fields.length === 1 && fields[0]?.name === 'value' ? { value: values['value'] } : values;
}

/** What is asked, in the words of its title where work by hand is: its message is how it is done, and is told beside it. */
export function questionOf(b: { type?: string; title?: string; message?: string }, name = ''): string {
  return b.type === 'manual' ? b.title || name || b.message || '' : b.message || b.title || name;
}

/** How the work by hand is done, where that is said. */
export const howOf = (b: { type?: string; title?: string; message?: string }, name = ''): string => (b.type === 'manual' && b.message && b.message !== questionOf(b, name) ? b.message : '');

export interface Asked { type?: string; count?: number; notRequester?: boolean; notAuthor?: boolean; votes?: { answer: string }[]; expires?: string; default?: string }

/** What holds for who answers, as sentences. */
export function rulesOf(b: Asked): string {
  const votes = (b.votes ?? []).filter((v) => v.answer === 'approve').length;
  const parts = [
    (b.count ?? 1) > 1 ? `${b.count} different people must approve; ${votes} did` : '',
    b.notRequester ? 'not whoever asked for the run' : '',
    b.notAuthor ? 'not whoever wrote the playbook' : '',
  ].filter(Boolean).join('; ');
  return parts ? `${parts.charAt(0).toUpperCase()}${parts.slice(1)}.` : '';
}

/** Whether it ends by itself: until when, and as what. */
export function endOf(b: Asked): { until: string; as: string } | null {
  if (!b.expires || b.expires.startsWith('0001')) return null;
  const as = b.default ? saidOf(b.default) : 'no';
  return { until: b.expires, as };
}
