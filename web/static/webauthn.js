// The browser's part of both WebAuthn ceremonies (WebAuthn Level 3, Sections 5.1.3 and 5.1.4). The page holds one form, #ceremony:
//
//   data-ceremony  "create", "get", or "get-or-autofill", which also offers passkeys in the autofill of #username
//   data-options   PublicKeyCredentialCreationOptionsJSON or PublicKeyCredentialRequestOptionsJSON
//   data-finish    where the response is posted to
//
// The form is hidden until this script knows that the browser can do it. What stands between [[ and ]] is said in the language of
// the page: there is one file for each.

const form = document.getElementById("ceremony");
const creating = form.dataset.ceremony === "create";
let autofill = { abort() {}, ended: Promise.resolve() };
let busy = false;

// Refusal carries the server's words for the person.
class Refusal extends Error {}

function decode(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

function encode(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// options returns the ceremony's options as the browser wants them.
function options() {
  const json = JSON.parse(form.dataset.options);
  const parse = creating ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (PublicKeyCredential[parse]) {
    return PublicKeyCredential[parse](json);
  }
  const decoded = { ...json, challenge: decode(json.challenge) };
  if (json.user) {
    decoded.user = { ...json.user, id: decode(json.user.id) };
  }
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    decoded[list] = (json[list] ?? []).map((descriptor) => ({ ...descriptor, id: decode(descriptor.id) }));
  }
  return decoded;
}

// responseJSON returns a credential as JSON. Older browsers have no toJSON, and that of some password managers throws.
function responseJSON(credential) {
  try {
    return credential.toJSON();
  } catch {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) {
        response[part] = encode(credential.response[part]);
      }
    }
    if (credential.response.getTransports) {
      response.transports = credential.response.getTransports();
    }
    return {
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    };
  }
}

// finish posts the response and follows the server's answer.
async function finish(credential) {
  const body = { response: responseJSON(credential) };
  if (creating) {
    body.name = document.getElementById("authenticator-name").value;
  }
  const answer = await fetch(form.dataset.finish, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30000),
  }).catch(() => {
    throw new Refusal("[[There was no answer. Check your connection and try again.]]");
  });
  const { location: next, message, forget } = await answer.json().catch(() => ({}));
  if (forget) { // so that the browser does not offer again what cannot work here: WebAuthn Level 3, Section 5.1.10
    const { rpId } = JSON.parse(form.dataset.options);
    PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId: credential.id }).catch(() => {});
  }
  if (!answer.ok || !next) {
    refer(answer.headers.get("X-Request-Id"));
    throw new Refusal(message ?? "[[Something went wrong. Open this page again and retry.]]");
  }
  location.replace(next);
}

// refer has the page give the reference of a request that failed, by which it can be found, in place of the page's own.
function refer(id) {
  const reference = document.getElementById("reference");
  if (id && reference) {
    reference.textContent = id;
  }
}

function explain(error) {
  if (error instanceof Refusal) {
    return error.message;
  }
  switch (error.name) {
    case "NotAllowedError": // cancelled, timed out, or nothing suitable: the browser does not say which
      return creating
        ? "[[Nothing was added: it was cancelled or took too long. Try again.]]"
        : "[[You are not signed in: it was cancelled, took too long, or this passkey or security key is not on your record. Try again.]]";
    case "InvalidStateError":
      return "[[This passkey or security key is already on your record. Use a different one.]]";
    case "NotSupportedError":
    case "ConstraintError":
      return "[[This passkey or security key does not work here. Use one that asks for a PIN, your face or your fingerprint.]]";
    case "SecurityError":
      if (/^(\[|[\d.]+$)/.test(location.hostname)) { // an IP address, which no passkey can belong to (WebAuthn Level 3, Sections 5.1.3 and 5.1.4)
        return "[[Passkeys and security keys do not work at an address of numbers. Open this page at the address that begins with http://localhost instead.]]";
      }
      return "[[Passkeys and security keys do not work at this web address. Check the address, and tell your registration authority.]]";
    default:
      return "[[Something went wrong. Open this page again and retry.]]";
  }
}

function show(error) {
  document.getElementById("error-summary")?.remove();
  document.getElementById("ceremony-message").textContent = explain(error);
  if (!document.title.startsWith("[[Error]]: ")) {
    document.title = "[[Error]]: " + document.title;
  }
  const summary = document.getElementById("ceremony-error");
  summary.hidden = false;
  summary.focus();
}

// offerAutofill waits for the person to choose a passkey in the autofill of #username (WebAuthn Level 3, Section 5.1.4, conditional
// mediation). It gives way to the button.
async function offerAutofill() {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.()) || busy) {
    return;
  }
  const controller = new AbortController();
  const chosen = navigator.credentials.get({ publicKey: options(), mediation: "conditional", signal: controller.signal });
  autofill = { abort: () => controller.abort(), ended: chosen.catch(() => {}) };
  let credential;
  try {
    credential = await chosen;
  } catch {
    return; // the person did not ask for anything yet, so there is nothing to tell
  }
  await attempt(() => credential);
}

// attempt carries one credential from the authenticator to the server, and shows what goes wrong.
async function attempt(obtain) {
  if (busy) {
    return;
  }
  busy = true;
  form.setAttribute("aria-busy", "true");
  try {
    await finish(await obtain());
  } catch (error) {
    busy = false; // not after success: the browser is on its way to the next page
    form.removeAttribute("aria-busy");
    show(error);
  }
}

if (window.PublicKeyCredential) {
  document.getElementById("ceremony-unavailable").hidden = true;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      autofill.abort();
      await autofill.ended; // browsers allow one request at a time
      const publicKey = options();
      return creating ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey });
    });
  });
  if (form.dataset.ceremony === "get-or-autofill") {
    offerAutofill();
  }
}
