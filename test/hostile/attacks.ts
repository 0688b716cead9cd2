import { damage } from '../support/broken-files.ts';
import { type Arsenal, type Attack, deliver } from './attack.ts';
import { BOMBS } from './bombs.ts';
import { damageJpeg } from './damage-jpeg.ts';
import { damagePng } from './damage-png.ts';
import { Dice } from './dice.ts';
import { faceAttack, facePicture } from './face-attacks.ts';
import type { SeedFile } from './files.ts';
import { headerAttack } from './header-attacks.ts';
import { idAttack } from './id-attacks.ts';
import { impostor } from './impostors.ts';
import { jsonAttack } from './json-attacks.ts';
import { linkAttack } from './link-attacks.ts';
import { rawAttack } from './raw-attacks.ts';

/** Large files are taken once in so many turns. */
const LARGE = 60;
const MB = 2 ** 20;

/** Makes the attack of a number: the same for the same seed, whatever came before it. */
export function attacks(files: readonly SeedFile[], seed: number, arsenal: Arsenal): (index: number) => Promise<Attack> {
  const small = files.filter(({ large }) => !large);
  const of = (format: string) => small.filter((file) => file.format === format);
  const [pngs, jpegs] = [of('png'), of('jpg')];
  const good = (jpegs[0] as SeedFile).bytes.toString('base64');
  const built = new Map<string, Promise<Buffer>>();
  const faces = facePicture();
  const file = (dice: Dice) => (dice.below(LARGE) === 0 ? dice.pick(files) : dice.pick(small));

  const bomb = async (dice: Dice) => {
    const { name, make } = dice.pick(BOMBS);
    const bytes = await (built.get(name) ?? built.set(name, Promise.resolve(make())).get(name));
    return deliver({ family: 'bombs', name, bytes: bytes as Buffer }, dice, arsenal);
  };
  const damaged = (dice: Dice) => {
    const { name, bytes } = file(dice);
    const [kind, hurt] = damage(bytes, dice.below(6), (count) => dice.below(count));
    return deliver({ family: 'bytes', name: `${name}, ${kind}`, bytes: hurt }, dice, arsenal);
  };
  const structural = (dice: Dice, family: 'PNG chunks' | 'JPEG segments') => {
    const { name, bytes } = dice.pick(family === 'PNG chunks' ? pngs : jpegs);
    const [kind, hurt] = (family === 'PNG chunks' ? damagePng : damageJpeg)(bytes, dice);
    return deliver({ family, name: `${name}, ${kind}`, bytes: hurt }, dice, arsenal);
  };
  const disguised = (dice: Dice) => {
    const [name, bytes] = impostor(dice.pick([...pngs.slice(0, 3), ...jpegs.slice(0, 3)]).bytes, dice);
    return deliver({ family: 'impostors', name, bytes }, dice, arsenal);
  };

  return async (index) => {
    const dice = new Dice(seed, index);
    // Every file as it is comes once, first.
    const whole = files[index];
    if (whole && whole.bytes.length < 2 * MB) return deliver({ family: 'odd files', name: whole.name, bytes: whole.bytes }, dice, arsenal);
    return dice.weighted<() => Attack | Promise<Attack>>([
      [340, () => damaged(dice)],
      [200, () => structural(dice, 'PNG chunks')],
      [200, () => structural(dice, 'JPEG segments')],
      [60, () => disguised(dice)],
      [60, () => linkAttack(dice, arsenal)],
      [50, () => idAttack(dice, arsenal)],
      [40, () => headerAttack(good, dice, arsenal)],
      [25, () => rawAttack(dice, arsenal)],
      [20, () => jsonAttack(good, dice, arsenal)],
      [5, () => bomb(dice)],
      [6, async () => faceAttack(await faces, dice, arsenal)],
    ])();
  };
}
