/** What a halt or a mode is about, in words. */
export function scopeOf(x: { project?: string; environment?: string; playbook?: string; target?: string }): string {
  const parts = [x.playbook && `playbook ${x.playbook}`, x.target && `target ${x.target}`, x.environment && `environment ${x.environment}`, x.project && `project ${x.project}`].filter(Boolean);
  return parts.length ? parts.join(', ') : 'everything';
}
