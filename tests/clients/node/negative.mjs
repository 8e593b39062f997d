// One sign-in with npm's openid-client, every check on; says in JSON whether it was taken or why it was refused.
// Usage: node negative.mjs registration.json   (the CA comes by NODE_EXTRA_CA_CERTS)
import { readFile } from "node:fs/promises";
import * as client from "openid-client";
import { signIn } from "./person.mjs";

const registration = JSON.parse(await readFile(process.argv[2], "utf8"));
try {
  const config = await client.discovery(
    new URL(registration.issuer),
    registration.client_id,
    undefined,
    client.ClientSecretBasic(registration.client_secret),
    { execute: [client.enableNonRepudiationChecks] },
  );
  const verifier = client.randomPKCECodeVerifier();
  const expected = { expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: registration.redirect_url,
    scope: registration.scopes.join(" "),
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: expected.expectedState,
    nonce: expected.expectedNonce,
    max_age: "3600",
  });
  const landed = await signIn(url, registration.users[0]);
  const tokens = await client.authorizationCodeGrant(config, landed, {
    pkceCodeVerifier: verifier, idTokenExpected: true, maxAge: 3600, ...expected,
  });
  console.log(JSON.stringify({ taken: true, sub: tokens.claims().sub }));
} catch (error) {
  const reasons = [];
  for (let cause = error; cause; cause = cause.cause) reasons.push(String(cause.message ?? JSON.stringify(cause)));
  console.log(JSON.stringify({ taken: false, code: error.code, reasons }));
}
