import type { FormField } from '../../lib/form';

export interface Choice { choice: string; label: string; says: string; look?: 'primary' | 'danger'; /** It takes what stands in the form. */ form?: boolean }

const choices: Record<string, Choice[]> = {
  approve: [{ choice: 'approve', label: 'Approve', look: 'primary', says: 'Approved.' }, { choice: 'reject', label: 'Reject', look: 'danger', says: 'Rejected.' }],
  ask: [{ choice: 'answer', label: 'Send the answer', look: 'primary', says: 'Answered.', form: true }],
  manual: [{ choice: 'done', label: 'It is done', look: 'primary', says: 'Done.', form: true }, { choice: 'reject', label: 'It cannot be done', look: 'danger', says: 'Rejected.' }],
  review: [{ choice: 'done', label: 'I looked at it', look: 'primary', says: 'Reviewed.' }],
  doubt: [
    { choice: 'happened', label: 'It happened', says: 'The run goes on as if it succeeded.' },
    { choice: 'not-happened', label: 'It did not happen', says: 'It is attempted again.' },
    { choice: 'again', label: 'Do it again', look: 'danger', says: 'It is done again, as a new effect.' },
    { choice: 'fail', label: 'Let it fail', says: 'The step fails.' },
    { choice: 'skip', label: 'Skip it', says: 'The step is skipped.' },
  ],
};

export const choicesOf = (type: string): Choice[] => choices[type] ?? [];

/** The fields of a task's form: declared ones, or the choices of the older dialect as one field `value`. */
export function fieldsOf(form: Record<string, unknown> | undefined): FormField[] {
  if (Array.isArray(form?.['fields'])) return (form['fields'] as FormField[]).map((f) => ({ ...f, type: f.type ?? 'string' }));
  const list = form?.['choices'];
  if (!Array.isArray(list)) return [];
  if (form?.['selector'] === 'multi') return [{ name: 'value', type: 'list', required: true, description: `Of: ${list.map(String).join(', ')}.` }];
  return [{ name: 'value', type: 'string', required: true, enum: list, label: 'Your answer' }];
}
