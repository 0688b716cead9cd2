import { type FaceDetector, openDetector } from '../../inference/detector.ts';
import { type Network, openNetwork, type SessionOptions } from '../../inference/session.ts';
import type { NetworkFile } from '../../models/manifest.ts';
import type { ModelEntry, Registry } from '../../models/registry.ts';

export interface FaceRestorer {
  readonly name: string;
  readonly network: Network;
  /** How much of it is blended in when nobody says, 0…1. */
  readonly strength: number;
  /** It is the shipped one, with which `FACE_LIMITS` were measured. */
  readonly shipped: boolean;
}

/** The networks of the face stage, as far as there are any. */
export interface FaceTools {
  readonly detector?: FaceDetector;
  readonly restorer?: FaceRestorer;
}

/** Names of the networks, `auto` for the shipped ones, `none` for none. */
export interface FaceChoice {
  readonly faceModel: string;
  readonly faceDetector: string;
}

/**
 * @param open loads the face network; absent: into this thread
 * @throws AppError for an unknown name, or a network that cannot be loaded
 */
export async function openFaceTools(
  registry: Registry,
  choice: FaceChoice,
  options: SessionOptions,
  open: (entry: ModelEntry, file: NetworkFile) => Promise<Network> = (entry, file) => openNetwork(entry, file, options),
): Promise<FaceTools> {
  const face = registry.forFaces('face', choice.faceModel);
  const detect = registry.forFaces('face-detect', choice.faceDetector);
  // One without the other has nothing to do, but for points that a client sends.
  const network = face && (await open(face, face.manifest.networks[0] as NetworkFile));
  const detector = face && detect && (await openDetector(detect, options));
  const restorer = face &&
    network && { name: face.manifest.name, network, strength: face.manifest.faceStrength ?? 1, shipped: face.origin === 'shipped' };
  return { ...(detector ? { detector } : {}), ...(restorer ? { restorer } : {}) };
}
