// The whole of what an app does by oauth4webapi, with every check that it has; see test_openid_clients.py.

import * as oauth from "oauth4webapi";

import { given, say, through } from "./person.js";

const options = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
const client = { client_id: given.clientId, id_token_signed_response_alg: given.algorithm };
const how = given.secret ? oauth.ClientSecretPost(given.secret) : oauth.None();

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState(), nonce = oauth.generateRandomNonce();
const asked = new URL(server.authorization_endpoint);
asked.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: given.redirectUri,
    response_type: "code",
    scope: "openid profile email offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    max_age: "3600",
});
const code = oauth.validateAuthResponse(server, client, await through(asked), state);  // `iss` as well
let answer = await oauth.authorizationCodeGrantRequest(server, client, how, code, given.redirectUri, verifier, options);
const expected = { expectedNonce: nonce, maxAge: 3600, requireIdToken: true };
const first = await oauth.processAuthorizationCodeResponse(server, client, answer, expected);
await oauth.validateApplicationLevelSignature(server, answer, options);
const { sub } = oauth.getValidatedIdTokenClaims(first);

answer = await oauth.userInfoRequest(server, client, first.access_token, options);
const info = await oauth.processUserInfoResponse(server, client, sub, answer);
answer = await oauth.refreshTokenGrantRequest(server, client, how, first.refresh_token, options);
const second = await oauth.processRefreshTokenResponse(server, client, answer);
answer = await oauth.userInfoRequest(server, client, second.access_token, options);
const renewed = await oauth.processUserInfoResponse(server, client, sub, answer);

const seen = [];
async function introspect() {
    const told = await oauth.introspectionRequest(server, client, how, second.access_token, options);
    seen.push((await oauth.processIntrospectionResponse(server, client, told)).active);
}
if (given.secret) await introspect();
await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, how, second.refresh_token, options),
);
if (given.secret) await introspect();
answer = await oauth.refreshTokenGrantRequest(server, client, how, second.refresh_token, options);
const refused = await oauth.processRefreshTokenResponse(server, client, answer).catch((error) => error.error);

const end = new URL(server.end_session_endpoint);
end.search = new URLSearchParams({
    id_token_hint: first.id_token,
    post_logout_redirect_uri: given.redirectUri,
    state: "bye",
});
const gone = await through(end);
say({ sub, email: info.email, renewed: renewed.sub, seen, refused, gone: gone.href });
