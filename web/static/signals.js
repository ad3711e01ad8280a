// Tells the browser which passkeys of the person are on record here, and by which name she goes, so that password managers offer no others
// (WebAuthn Level 3, Section 5.1.10). The page holds one element with data-signals:
//
//   rpId, userId, name, displayName
//   allAcceptedCredentialIds  all of them; absent when there are more than the page knows

const { rpId, userId, name, displayName, allAcceptedCredentialIds } = JSON.parse(document.querySelector("[data-signals]").dataset.signals);

// signal tells what the browser wants to hear. Whether it does anything about it is its own affair.
function signal(what, options) {
  window.PublicKeyCredential?.[what]?.(options).catch(() => {});
}

if (allAcceptedCredentialIds) {
  signal("signalAllAcceptedCredentials", { rpId, userId, allAcceptedCredentialIds });
}
signal("signalCurrentUserDetails", { rpId, userId, name, displayName });
