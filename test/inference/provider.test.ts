import { listSupportedBackends } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { executionProviders } from '../../src/inference/provider.ts';
import { openNetwork } from '../../src/inference/session.ts';
import { createRegistry, networkFor, shippedModelsDir } from '../../src/models/registry.ts';

const entry = createRegistry({ shippedDir: shippedModelsDir() }).get('general');
const open = (provider: string) => openNetwork(entry, networkFor(entry, 'noise'), { threads: 1, provider });
const known = listSupportedBackends().map((backend) => backend.name);

describe('execution providers', () => {
  it('the processor is always there, and catches what another provider cannot do', () => {
    expect(executionProviders('cpu')).toEqual(['cpu']);
    for (const name of known) expect(executionProviders(name)).toContain('cpu');
  });

  it('one that this build does not know is refused by name, with those that there are', async () => {
    const absent = ['cuda', 'webgpu', 'coreml', 'dml'].filter((name) => !known.includes(name));
    expect(absent.length).toBeGreaterThan(0);
    for (const provider of absent)
      await expect(open(provider)).rejects.toMatchObject({
        kind: 'PROCESS_ERROR',
        message: expect.stringMatching(new RegExp(`provider ${provider} does not exist in this build .* there are: cpu`)),
      });
  });

  it.skipIf(!known.includes('cuda') || process.env.CUDA_VISIBLE_DEVICES !== undefined)(
    'one whose libraries or device are missing is refused with what to do',
    async () => {
      await expect(open('cuda')).rejects.toMatchObject({
        kind: 'PROCESS_ERROR',
        message: expect.stringMatching(/general cannot be loaded with the provider cuda: .*MINGXI_PROVIDER.* install what cuda needs/),
      });
    },
  );
});
