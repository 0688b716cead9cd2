/** The client of the package: `import { MingxiClient } from 'mingxi/client'`. */
export { type CallbackHeaders, type VerifyCallbackOptions, verifyCallback } from './callback.ts';
export { MingxiClient, type MingxiClientOptions, type QueryAnswer } from './client.ts';
export { MingxiConnectionError, MingxiError, MingxiTimeoutError } from './failure.ts';
export type { GatewayClient, PushOptions } from './gateway.ts';
export { RestoredPicture } from './picture.ts';
export type { Polled, WaitOptions } from './polling.ts';
export { type Signer, signedHeaders } from './sign.ts';
export type { Envelope, GatewayResult, GatewayTask, MediaInfo, PictureSource, RestoreParameters } from './wire.ts';
