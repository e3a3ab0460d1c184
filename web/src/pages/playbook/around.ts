/** What a trigger selects by, as pairs that people read: labels.alertname, DiskFull. Lists are one line. */
export function pairs(of: Record<string, unknown>, before = ''): [string, string][] {
  return Object.entries(of).flatMap(([k, v]): [string, string][] => {
    if (v === null || v === undefined || v === '') return [];
    if (Array.isArray(v)) return v.length ? [[before + k, v.map(word).join(', ')]] : [];
    if (typeof v === 'object') return pairs(v as Record<string, unknown>, `${before}${k}.`);
    return [[before + k, word(v)]];
  });
}

const word = (v: unknown): string => (typeof v === 'string' ? v : JSON.stringify(v));
