// An identity provider for the tests of signing on: OpenID Connect Core 1.0 with the authorization code flow, discovery
// (OpenID Connect Discovery 1.0), keys as JWKS, and PKCE (RFC 7636), which it insists on. It is a host of its own, with a page
// that asks who comes; whoever says so is them.
import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

const b64 = (x) => Buffer.from(x).toString('base64url');

/** Starts one. `people` are the claims of those whom it knows, by what they type. */
export async function issuer(people) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const asked = new Map(); // by code
  let url;
  const s = createServer((req, res) => {
    const u = new URL(req.url, url);
    const json = (body, status = 200) => { res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }); res.end(JSON.stringify(body)); };
    switch (u.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token`, jwks_uri: `${url}/keys`,
          response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'], code_challenge_methods_supported: ['S256'],
        });
      case '/keys':
        return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] });
      case '/authorize': {
        const q = u.searchParams;
        if (q.get('response_type') !== 'code' || !q.get('scope')?.split(' ').includes('openid') || q.get('code_challenge_method') !== 'S256') return json({ error: 'invalid_request' }, 400);
        const back = new URL(q.get('redirect_uri'));
        back.searchParams.set('state', q.get('state'));
        if (!q.has('who')) {
          const keep = [...q].map(([k, v]) => `<input type="hidden" name="${k}" value="${v}">`).join('');
          res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
          return res.end(`<!doctype html><title>The identity provider</title><h1>Who are you?</h1><form>${keep}<label>Name <input name="who" autofocus></label><button>Go on</button></form>`);
        }
        if (people[q.get('who')]) {
          const code = randomUUID();
          asked.set(code, { challenge: q.get('code_challenge'), nonce: q.get('nonce'), client: q.get('client_id'), to: q.get('redirect_uri'), who: q.get('who') });
          back.searchParams.set('code', code);
        } else {
          back.searchParams.set('error', 'access_denied');
          back.searchParams.set('error_description', 'nobody of that name works here');
        }
        res.writeHead(302, { Location: back.href });
        return res.end();
      }
      case '/token': {
        let body = '';
        req.on('data', (c) => { body += c; });
        return req.on('end', () => {
          const f = new URLSearchParams(body);
          const a = asked.get(f.get('code'));
          asked.delete(f.get('code')); // a code is good once
          const proof = createHash('sha256').update(f.get('code_verifier') ?? '').digest('base64url');
          if (!a || f.get('grant_type') !== 'authorization_code' || f.get('redirect_uri') !== a.to || proof !== a.challenge) return json({ error: 'invalid_grant' }, 400);
          const now = Math.floor(Date.now() / 1000);
          const claims = { iss: url, aud: a.client, iat: now, exp: now + 3600, nonce: a.nonce, ...people[a.who] };
          const head = `${b64(JSON.stringify({ alg: 'RS256', kid: 'one', typ: 'JWT' }))}.${b64(JSON.stringify(claims))}`;
          return json({ access_token: randomUUID(), token_type: 'Bearer', expires_in: 3600, id_token: `${head}.${createSign('RSA-SHA256').update(head).sign(privateKey, 'base64url')}` });
        });
      }
      default:
        return json({ error: 'not_found' }, 404);
    }
  });
  await new Promise((ok) => { s.listen(0, '127.0.0.1', ok); });
  url = `http://127.0.0.1:${s.address().port}`;
  return { url, close: () => { s.closeAllConnections(); return new Promise((ok) => { s.close(ok); }); } };
}
