/**
 * ONNX Runtime 1.30 reports its use to its makers: on the first session it keeps a device id under
 * ~/.cache/Microsoft (or `:memory:.ses` in the working folder) and connects to
 * mobile.events.data.microsoft.com. This service sends nothing to anybody, so whatever makes sessions
 * imports this module; the library reads the variable when the first session is made, not when it is loaded.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
