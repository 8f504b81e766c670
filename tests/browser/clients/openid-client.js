// The whole of what an app does by openid-client, with every check that it has; see test_openid_clients.py.

import * as client from "openid-client";

import { given, say, through } from "./person.js";

const how = given.secret ? client.ClientSecretBasic(given.secret) : client.None();
const config = await client.discovery(
    new URL(given.issuer),
    given.clientId,
    { id_token_signed_response_alg: given.algorithm },
    how,
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },  // the latter checks signatures
);

const verifier = client.randomPKCECodeVerifier();
const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
const back = await through(client.buildAuthorizationUrl(config, {
    redirect_uri: given.redirectUri,
    scope: "openid profile email offline_access",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    max_age: "3600",
}));
const first = await client.authorizationCodeGrant(config, back, { ...checks, maxAge: 3600, idTokenExpected: true });
const { sub } = first.claims();
const info = await client.fetchUserInfo(config, first.access_token, sub);
const second = await client.refreshTokenGrant(config, first.refresh_token);
const renewed = await client.fetchUserInfo(config, second.access_token, sub);

const seen = [];
const introspect = async () => given.secret && seen.push((await client.tokenIntrospection(config, second.access_token)).active);
await introspect();
await client.tokenRevocation(config, second.refresh_token);
await introspect();
const refused = await client.refreshTokenGrant(config, second.refresh_token).catch((error) => error.error);

const gone = await through(client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: given.redirectUri,
    id_token_hint: first.id_token,
    state: "bye",
}));
say({ sub, email: info.email, renewed: renewed.sub, seen, refused, gone: gone.href });
