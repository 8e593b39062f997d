// A worked client of ACR Connect and NRDR in Node: openid-client signs in, refreshes and sends; node:https takes the redirect.
// Run by `acrmock certify --launch "node client.mjs"`, or against `acrmock serve` by hand (see README.md).
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as oidc from "openid-client";

const TERMINAL = new Set(["Failed", "ValidationFail", "Posted", "PartiallySuccessful", "UpdatedWithNewTransaction"]);
const EARLY = 1; // seconds before its end at which a token is renewed

const missing = ["ACRMOCK_REGISTRATION", "EXAMS_FILE", "REDIRECT_CERT", "REDIRECT_KEY"].filter((name) => !process.env[name]);
if (missing.length) {
  console.error(`${missing.join(", ")} must be set: README.md says to what`);
  process.exit(1);
}
const registration = JSON.parse(readFileSync(process.env.ACRMOCK_REGISTRATION, "utf8"));
const [registry, version] = Object.entries(registration.registries)[0];
const change = JSON.parse(process.env.EXAM_CHANGE ?? '{"Patient_Weight": 181.5}');
const stateFile = process.env.CLIENT_STATE ?? join(dirname(process.env.ACRMOCK_REGISTRATION), "client-state.json");
const state = existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, "utf8")) : { token: null, exams: [] };
const keep = () => writeFileSync(stateFile, JSON.stringify(state), { mode: 0o600 });

/** The server's metadata, read anew in each run because endpoints may move. openid-client checks the issuer. */
const discover = () => oidc.discovery(
  new URL(registration.issuer), registration.client_id, undefined, oidc.ClientSecretPost(registration.client_secret));

function keepToken(tokens) {
  state.token = {
    access_token: tokens.access_token,
    refresh_token: tokens.refresh_token ?? state.token?.refresh_token, // a server that does not rotate sends none
    expires_at: Date.now() / 1000 + (tokens.expiresIn() ?? 0),
  };
  keep();
}

/** A person signs in with a browser; the code that comes back is swapped for tokens once. */
async function signIn() {
  const config = await discover();
  const [verifier, expectedState, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: registration.redirect_url,
    scope: registration.scopes.join(" "),
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce,
  });
  const landed = await browserComesBack(url);
  // checks state, issuer (RFC 9207), nonce, audience and times; the signature needs not be checked on a TLS answer of the issuer
  const tokens = await oidc.authorizationCodeGrant(config, landed, {
    pkceCodeVerifier: verifier, expectedState, expectedNonce: nonce, idTokenExpected: true,
  });
  keepToken(tokens);
  const person = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  console.log("signed in as", person.name);
}

/** Open the user's browser at `url`; the address with which it comes to our redirect URL. */
async function browserComesBack(url) {
  const here = new URL(registration.redirect_url);
  const server = createServer({ cert: readFileSync(process.env.REDIRECT_CERT), key: readFileSync(process.env.REDIRECT_KEY) });
  try {
    return await new Promise((resolve, reject) => {
      const giveUp = setTimeout(() => reject(new Error("nobody came back from the sign-in page")), 60_000);
      server.on("request", (request, response) => {
        const target = new URL(request.url, here);
        const ours = target.pathname === here.pathname;
        response.writeHead(ours ? 200 : 404, { "content-type": "text/html; charset=utf-8", "referrer-policy": "no-referrer" });
        response.end("<!doctype html><title>Signed in</title><p>You can close this page.", () => {
          if (ours) { clearTimeout(giveUp); resolve(target); }
        });
      });
      server.on("error", reject);
      server.listen(Number(here.port || 443), "127.0.0.1", () => openBrowser(url.href, reject));
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function openBrowser(url, failed) {
  const [program, ...options] = process.env.BROWSER ? [process.env.BROWSER]
    : { darwin: ["open"], win32: ["rundll32", "url.dll,FileProtocolHandler"] }[process.platform] ?? ["xdg-open"];
  execFile(program, [...options, url], (error) => error && failed(new Error("the browser did not start")));
}

/** A request with an access token that is good for it: renewed by refresh token when it is about to end. */
async function send(config, url, method = "GET", body) {
  if (Date.now() / 1000 > state.token.expires_at - EARLY) {
    keepToken(await oidc.refreshTokenGrant(config, state.token.refresh_token));
  }
  const headers = new Headers(body ? { "content-type": "application/json" } : {});
  return oidc.fetchProtectedResource(config, state.token.access_token, new URL(url), method, body, headers);
}

/** Post exams as one transaction and follow its status to the end, no faster than the server asks. */
async function deliver(exams) {
  const config = await discover();
  const header = {
    Transaction_ID: randomUUID(),
    Transaction_Date: new Date().toISOString(),
    Partner_ID: registration.partner_id,
    App_ID: registration.app_id,
    Facility_ID: registration.users[0].facility_id,
    Registry: registry.toUpperCase(),
    Data_Version: version,
    Number_Of_Exams: exams.length,
  };
  const posted = `${registration.nrdr}/${registry}/v${version}/transactions`;
  let answer = await send(config, posted, "POST", JSON.stringify({ Transaction_Header: header, Exams: exams }));
  if (answer.status !== 202) throw new Error(`refused with ${answer.status}: ${await answer.text()}`);
  const where = new URL(answer.headers.get("location"), posted);
  for (;;) {
    await sleep(1000 * Number(answer.headers.get("retry-after") ?? "0"));
    answer = await send(config, where);
    if (!answer.ok) throw new Error(`the status answered ${answer.status}`);
    const status = await answer.json();
    console.log(header.Transaction_ID, status.Status);
    if (!TERMINAL.has(status.Status)) continue;
    for (const exam of status.Exams ?? []) for (const e of exam.Errors ?? []) console.log("rejected:", e.pointer, e.message);
    return;
  }
}

const day = (time) => new Date(time).toISOString().slice(0, 10);
const DAY = 86_400_000;

async function submit() {
  state.exams = readFileSync(process.env.EXAMS_FILE, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
  keep();
  await deliver(state.exams);
}

/** A value of a record changed: the whole record again under its key. */
const update = () => deliver([{ ...state.exams[0], ...change }]);

/** Work-up followed a screen: the record again, with the follow-up in it, here in the elements of LCSR. */
function followUp() {
  if (registry !== "lcsr") return console.log("no follow-up is made for", registry);
  const yesterday = Date.now() - DAY;
  const exam = state.exams.slice(1).find((one) => Date.parse(one.Exam_Date) < yesterday - DAY);
  const when = day(Math.min(Date.parse(exam.Exam_Date) + 30 * DAY, yesterday));
  const added = { Date_Of_Follow_Up: when, Follow_Up_Unique_ID: `FU-${randomUUID().slice(0, 13)}`, Follow_Up_Diagnostic: "1" };
  return deliver([{ ...exam, Follow_Ups: [...(exam.Follow_Ups ?? []), added] }]);
}

/** The access token has expired; `send` renews it without a person. */
const refresh = () => deliver([{ ...state.exams.at(-1), ...change }]);

const STEPS = { "sign-in": signIn, submit, update, "follow-up": followUp, refresh, "sign-in-again": signIn };
for (const name of process.env.ACRMOCK_STEP ? [process.env.ACRMOCK_STEP] : Object.keys(STEPS)) await STEPS[name]();
