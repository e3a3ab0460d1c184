import type { SourceFile } from '../../api/schema';

export interface Changed { file: string; how: 'new' | 'gone' | 'changed' }

/** Which files differ between two revisions, by name. */
export function differ(was: SourceFile[], is: SourceFile[]): Changed[] {
  const before = new Map(was.map((f) => [f.file, f]));
  const out: Changed[] = [];
  for (const f of is) {
    const old = before.get(f.file);
    before.delete(f.file);
    if (!old) out.push({ file: f.file, how: 'new' });
    else if (old.sum !== f.sum) out.push({ file: f.file, how: 'changed' });
  }
  for (const file of before.keys()) out.push({ file, how: 'gone' });
  return out.sort((a, b) => a.file.localeCompare(b.file));
}
