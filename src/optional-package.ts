import { ConfigError } from './config.ts';

/**
 * Loads a package that only some configurations need.
 * @param name the package, as npm knows it
 * @param by what needs it, e.g. `MINGXI_STORAGE=s3`
 * @throws ConfigError that says how to install it
 */
export async function optionalPackage<T>(name: string, by: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError([`${by} needs the package ${name}, which is not installed: npm install ${name}`]);
  }
}
