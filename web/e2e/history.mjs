// Four weeks of a small team's life, for the screenshots: services that really stop answering, alerts that say so, playbooks
// that repair them or do not, people who answer or sleep. `clock` moves the server's clock (past.mjs).
import { createServer } from 'node:http';

import { until } from './world.mjs';

const day = 86_400;

/** Services that are well or not, in one process: `GET /NAME/health` says it, `POST /NAME/restart` may mend it. */
export async function town() {
  const ill = new Map();
  const s = createServer((req, res) => {
    const [, name, what] = req.url.split('/');
    if (req.method === 'POST' && what === 'restart' && ill.get(name) === 'restart') ill.delete(name);
    const bad = what === 'health' && ill.has(name);
    res.writeHead(bad ? 503 : 200, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(what === 'disk' ? { used: ill.has(name) ? 93 : 61 } : { status: bad ? 'stuck' : 'ok' }));
  });
  await new Promise((done) => { s.listen(0, '127.0.0.1', done); });
  return { url: `http://127.0.0.1:${s.address().port}`, ill, close: () => s.close() };
}

export const stories = (url) => ({
  'restart.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: restart-stuck-service, description: Restart a service that no longer answers its health check., owner: shop, labels: {tier: gold, saves: 20m}}
parameters:
  - {name: service, type: string, required: true, pattern: '^[a-z-]+$', description: Which service.}
steps:
  - {id: health, name: Is it stuck?, uses: http, with: {url: ${url}, path: ['{{ $.params.service }}', health], expect: [2xx, 503]}}
  - id: restart
    name: Restart it
    when: steps.health.status == 503
    uses: http
    effect: idempotent
    with: {url: ${url}, path: ['{{ $.params.service }}', restart], method: POST}
    target: 'service:{{ $.params.service }}'
    verify: {uses: http, with: {url: ${url}, path: ['{{ $.params.service }}', health], expect: [2xx, 503]}, until: result.status == 200, every: 50ms, within: 200ms}
    undo: {none: A restart cannot be taken back.}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: service-stuck, description: A health check fails for two minutes., owner: shop}
on: {kind: alert, labels: {alertname: HealthCheckFails}}
playbook: restart-stuck-service
key: '{{ $.event.labels.service }}'
parameters: {service: '{{ $.event.labels.service }}'}
incident: {title: '{{ $.event.labels.service }} does not answer', severity: '{{ $.event.labels.severity }}', resolve: true}
`,
  'queue.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: new-queue, description: Makes a message queue with alerts and a dashboard., owner: platform}
offer: {to: ['*'], title: A message queue, outputs: [address]}
parameters:
  - {name: service, type: string, required: true, pattern: '^[a-z-]+$', description: Whose it is.}
  - {name: size, type: string, enum: [small, large], default: small, description: How much it holds.}
steps:
  - {id: sure, name: Capacity, uses: approve, with: {message: 'A queue ({{ $.params.size }}) for {{ $.params.service }}?', within: 8h}}
  - {uses: log, with: {message: 'a queue for {{ $.params.service }}'}}
outputs: {address: 'amqp://queues.example.org/{{ $.params.service }}'}
`,
  'trim.yaml': `apiVersion: tend/v1
kind: Playbook
metadata: {name: trim-job-history, description: Trim the history of the job queue when its disk fills., owner: data, labels: {saves: 45m}}
parameters:
  - {name: host, type: string, required: true}
steps:
  - {id: disk, name: Disk, uses: http, with: {url: ${url}, path: ['{{ $.params.host }}', disk]}}
  - id: trim
    name: Trim
    when: steps.disk.json.used > 90
    uses: http
    effect: mutate
    with: {url: ${url}, path: ['{{ $.params.host }}', restart], method: POST}
    target: 'host:{{ $.params.host }}'
    verify: {uses: http, with: {url: ${url}, path: ['{{ $.params.host }}', disk]}, until: result.json.used < 80, every: 50ms, within: 200ms}
    undo: {none: What was trimmed is gone.}
    approval: {message: 'Trim the job history of {{ $.params.host }}? What is older than 90 days is lost.', within: 30m}
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: queue-disk-full, description: The disk of a queue host is over nine tenths., owner: data}
on: {kind: alert, labels: {alertname: QueueDiskFull}}
playbook: trim-job-history
key: '{{ $.event.labels.host }}'
parameters: {host: '{{ $.event.labels.host }}'}
`,
});

/** Lives `days` days, up to now, and leaves an incident that burns. `clock(seconds)` moves the server's clock by so much against the real one. */
export async function live(w, t, clock, days = 28) {
  let seed = 7;
  const draw = (n) => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return Math.floor((seed / 2_147_483_648) * n); };
  let nth = 0;
  const alert = (alertname, subject, status, severity = 'major') => {
    const key = alertname === 'QueueDiskFull' ? 'host' : 'service';
    const labels = { alertname, severity, [key]: subject };
    return w.api('POST', '/v1/events/reports', { events: [{ key: `${alertname}/${subject}/${nth++}`, group: `${alertname}/${subject}`, kind: 'alert', status, name: `${alertname} ${subject}`, labels, data: { labels } }] });
  };
  /** Until a run is over; who is asked agrees. */
  const over = (run) => until(async () => {
    for (const { id } of (await w.api('GET', `/v1/tasks?status=open&parent=${run}`)).rows) await w.api('POST', `/v1/tasks/${id}/answers`, { choice: 'approve', why: 'It was agreed with the owners.' });
    return ['succeeded', 'failed', 'cancelled', 'in-doubt'].includes(await w.status(run));
  }, 'the runs to end', 60_000);
  const services = ['checkout', 'search', 'mail', 'login', 'prices'];
  for (let d = -days; d < 0; d++) {
    const weekday = (new Date(Date.now() + d * day * 1000)).getDay() % 6 !== 0;
    for (let i = 0, n = weekday ? 2 + draw(3) : draw(2); i < n; i++) {
      let at = d * day + 3_600 * (i * 5 + draw(4)) + draw(3_600);
      if (at > -1_800) continue;
      clock(at);
      const full = draw(5) === 0, subject = full ? `queue-${1 + draw(3)}` : services[draw(services.length)];
      const name = full ? 'QueueDiskFull' : 'HealthCheckFails';
      t.ill.set(subject, draw(d < -14 ? 3 : 7) === 0 ? 'for good' : 'restart');
      const { outcome, run } = (await alert(name, subject, 'firing', ['critical', 'major', 'minor'][draw(3)])).receipts[0];
      if (outcome === 'started') await over(run); // else it was held, or is one that burns already
      clock(at += 240 + draw(d < -14 ? 3_000 : 900));
      t.ill.delete(subject);
      await alert(name, subject, 'resolved');
    }
  }
  // What burns now: a restart did not help.
  clock(-1_560);
  t.ill.set('checkout', 'for good');
  await over((await alert('HealthCheckFails', 'checkout', 'firing', 'critical')).receipts[0].run);
  clock(0);
}
