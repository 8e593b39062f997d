/** What a person does in a browser: opens the page, fills the form, allows, and lands on the redirect URL, which is returned. */
export async function signIn(url, user) {
  const page = await fetch(url, { redirect: "manual" });
  const html = await page.text();
  const cookie = page.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");
  const fields = new URLSearchParams();
  for (const [tag] of html.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, "name");
    if (name && attribute(tag, "type") === "hidden") fields.set(name, attribute(tag, "value") ?? "");
  }
  fields.set("username", user.username);
  fields.set("password", user.password);
  fields.set("decision", "allow");
  const action = new URL(attribute(html.match(/<form\b[^>]*>/i)[0], "action") || page.url, page.url);
  const answer = await fetch(action, { method: "POST", redirect: "manual", headers: { cookie }, body: fields });
  if (![302, 303].includes(answer.status)) throw new Error(`sign-in answered ${answer.status}: ${await answer.text()}`);
  return new URL(answer.headers.get("location"));
}

function attribute(tag, name) {
  const found = tag.match(new RegExp(`\\b${name}="([^"]*)"`, "i"));
  return found && found[1].replaceAll("&amp;", "&").replaceAll("&#34;", '"').replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"');
}
