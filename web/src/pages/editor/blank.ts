import type { Sketch } from '../../api/schema';

/** A playbook that nobody has begun to write. */
export function blank(name: string): Sketch {
  return {
    name, file: `playbooks/${name || 'new'}/playbook.yaml`,
    text: `apiVersion: tend/v1
kind: Playbook
metadata:
  name: ${name}
  description: What it does, in a line.
  owner: CHANGE-ME
steps:
  - id: look
    name: Look first
    uses: shell
    effect: read
    with:
      script: |
        uptime
`,
  };
}
