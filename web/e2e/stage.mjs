// The playbooks and runs that screenshots and tests of the run's page are made of.
export const playbooks = {
  'reclaim.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: reclaim-disk, description: Free space on a volume that is filling up., owner: storage}
parameters:
  - {name: path, type: string, default: /var/log/shop}
  - {name: limit, type: number, default: 800}
steps:
  - {id: usage, name: Measure, uses: shell, effect: read, env: {DIR: '{{ $.params.path }}'}, with: {script: 'echo 912', parse: number}}
  - name: Look around
    parallel:
      - name: Volumes
        steps:
          - {name: List volumes, uses: shell, effect: read, with: {script: 'sleep 0.4; echo "/dev/sda1 91%"'}}
          - {name: Inodes, uses: shell, effect: read, with: {script: 'sleep 0.2; echo ok'}}
      - name: Who writes
        steps:
          - {id: writers, name: Open files, uses: shell, effect: read, with: {script: 'sleep 0.7; printf "app.log\\\\napp.log.1\\\\n"', parse: lines}}
  - name: Old logs
    foreach:
      in: '{{ list "app.log.3" "app.log.4" "app.log.5" "app.log.6" }}'
      key: i
      value: file
      steps:
        - {name: Compress, uses: shell, effect: idempotent, env: {FILE: '{{ $.file }}'}, with: {script: 'sleep 0.2; echo "compressed $FILE"'}, target: 'path:{{ $.params.path }}/{{ $.file }}'}
  - id: clean
    name: Move it out of the way
    when: steps.usage.value > params.limit
    uses: shell
    effect: mutate
    env: {DIR: '{{ $.params.path }}'}
    with:
      script: |
        printf '\\033[1mmoving\\033[0m old logs of %s\\n' "$DIR"
        for i in $(seq 1 12); do printf '  \\033[32mok\\033[0m app.log.%s.gz  \\033[2m%s KiB\\033[0m\\n' "$i" $((i * 917)); done
        printf '\\033[31mskipped\\033[0m app.log: it is open\\n' >&2
    target: 'path:{{ $.params.path }}'
    approval: {message: 'Move 21 MiB of rotated logs of {{ $.params.path }} out of the way?', within: 15m}
    verify:
      uses: shell
      with: {script: 'echo 640', parse: number}
      until: result.value < params.limit
      within: 1m
    undo: {uses: shell, effect: idempotent, with: {script: 'echo restored'}}
  - {id: tell, name: Tell, uses: log, with: {message: 'Reclaimed.'}}
catch:
  - {name: Say what failed, uses: log, with: {message: 'It failed: {{ $.error.message }}'}}
finally:
  - {name: Clean up, uses: log, with: {message: bye}}
outputs: {reclaimed: '{{ $.steps.usage.value }}'}
`,
  'flaky.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: restart-when-stuck, description: Restart a service whose health check fails., owner: shop}
steps:
  - {id: health, name: Health, uses: shell, effect: read, with: {script: 'echo 503', parse: number}}
  - {name: Restart, uses: shell, effect: idempotent, with: {script: 'echo "unit shop.service not found" >&2; exit 5'}, target: 'unit:shop', retry: {attempts: 2, backoff: 100ms}}
`,
  'doubt.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: fail-over-database, description: Promote the replica., owner: data}
steps:
  - {id: lag, name: Replication lag, uses: shell, effect: read, with: {script: 'echo 2', parse: number}}
  - {id: promote, name: Promote the replica, uses: shell, effect: mutate, with: {script: 'echo promoting; sleep 60'}, target: 'host:db-2', timeout: 1s, undo: {none: A promotion stays.}}
`,
  'slow.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: drain-node, description: Drain a node and wait., owner: platform}
steps:
  - {name: Cordon, uses: shell, effect: idempotent, with: {script: 'echo cordoned'}, target: 'node:n-7'}
  - {name: Evict, uses: shell, effect: idempotent, with: {script: 'for i in $(seq 1 600); do echo "evicting pod-$i"; sleep 0.2; done'}, target: 'node:n-7'}
  - {name: Wait, uses: wait, with: {duration: 10m}}
`,
  'hello.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: hello, description: Say hello.}
steps:
  - {id: one, name: Say hello, uses: log, with: {message: hello}}
`,
};
