import { useId } from 'react';

/** A day of the calendar, as a filter. */
export function Day({ label, value, set }: { label: string; value: string; set: (v: string | null) => void }) {
  const id = useId();
  return <div className="filter audit-date" data-set={value !== '' || undefined}><label htmlFor={id}>{label}</label><input id={id} type="date" value={value} onChange={(e) => set(e.target.value || null)} style={{ width: '7.75rem' }} /></div>;
}
