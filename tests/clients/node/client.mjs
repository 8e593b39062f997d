// A vendor written with npm's openid-client: signs in, refreshes, posts one transaction, polls it to its end, reads the userinfo.
// Usage: node client.mjs registration.json transaction.json post-path   (the CA comes by NODE_EXTRA_CA_CERTS)
import { readFile } from "node:fs/promises";
import * as client from "openid-client";
import { signIn } from "./person.mjs";

const [registrationFile, transactionFile, postPath] = process.argv.slice(2);
const registration = JSON.parse(await readFile(registrationFile, "utf8"));
const body = await readFile(transactionFile, "utf8");
const user = registration.users[0];

const config = await client.discovery(
  new URL(registration.issuer),
  registration.client_id,
  undefined,
  client.ClientSecretPost(registration.client_secret),
);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const authorizationUrl = client.buildAuthorizationUrl(config, {
  redirect_uri: registration.redirect_url,
  scope: registration.scopes.join(" "),
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});

const tokens = await client.authorizationCodeGrant(config, await signIn(authorizationUrl, user), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const person = await client.fetchUserInfo(config, refreshed.access_token, tokens.claims().sub);

const posted = await client.fetchProtectedResource(
  config, refreshed.access_token, new URL(registration.nrdr + postPath), "POST", body,
  new Headers({ "content-type": "application/json" }),
);
const statuses = [];
let next = { url: new URL(posted.headers.get("location"), registration.nrdr), wait: retryAfter(posted) };
while (next) {
  await new Promise((resolve) => setTimeout(resolve, next.wait * 1000));
  const answer = await client.fetchProtectedResource(config, refreshed.access_token, next.url, "GET");
  statuses.push((await answer.json()).Status);
  next = answer.headers.has("retry-after") && statuses.length < 20 ? { url: next.url, wait: retryAfter(answer) } : null;
}
console.log(JSON.stringify({ posted: posted.status, statuses, sub: person.sub, id_sub: tokens.claims().sub,
  rotated: refreshed.access_token !== tokens.access_token }));

function retryAfter(answer) {
  return Number(answer.headers.get("retry-after") ?? "1");
}
