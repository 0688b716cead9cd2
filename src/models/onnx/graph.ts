import { type Field, fields, integers, text, WireError } from './wire.ts';

/** An input or output of a graph. A dimension is a number, or the name of a free one (`?` without name). */
export interface Value {
  readonly name: string;
  /** Element type as ONNX Runtime names it, `tensor` for other kinds. */
  readonly type: string;
  /** undefined: the file does not say. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** What a file says about itself; weights are skipped. */
export interface Graph {
  /** Inputs that have no initialiser, in order. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: number;
  /** Elements of all initialisers. */
  readonly parameters: number;
  /** Operators that neither ONNX nor ONNX Runtime nor the file itself defines, as `domain::Name`. */
  readonly customOperators: readonly string[];
  /** Files that tensors of this one are kept in. */
  readonly externalData: readonly string[];
}

/** Domains whose operators ONNX Runtime brings along. */
const DOMAINS = ['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'];
/** TensorProto.DataType, as ONNX Runtime names the types. */
const TYPES = (
  'undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 complex128 bfloat16' as const
).split(' ');
/** Graphs nested in If and Loop deeper than this are no honest file's. */
const MAX_DEPTH = 16;

interface Found {
  nodes: number;
  parameters: number;
  readonly operators: Set<string>;
  readonly external: Set<string>;
}

/**
 * Reads the structure of an ONNX file (onnx.proto: ModelProto, GraphProto, NodeProto, TensorProto) without its weights.
 * @throws WireError when the bytes end early or are no such file
 */
export function readGraph(file: Uint8Array): Graph {
  const found: Found = { nodes: 0, parameters: 0, operators: new Set(), external: new Set() };
  const functions = new Set<string>();
  let version = 0;
  let graph: { inputs: Value[]; outputs: Value[] } | undefined;
  for (const field of fields(file)) {
    if (field.number === 1) version = field.value;
    if (field.number === 7) graph = walkGraph(field.bytes, found, 0);
    if (field.number === 25) functions.add(walkFunction(field.bytes, found));
  }
  if (version < 1 || version > 64) throw new WireError(`no ONNX version number`);
  if (!graph) throw new WireError('no graph');
  return {
    ...graph,
    nodes: found.nodes,
    parameters: found.parameters,
    customOperators: [...found.operators].filter((operator) => isCustom(operator) && !functions.has(operator)).map(printable),
    externalData: [...found.external].map(printable),
  };
}

const isCustom = (operator: string) => !DOMAINS.includes(operator.slice(0, operator.lastIndexOf('::')));

/** Names come from a stranger's file and go to a terminal. */
const printable = (name: string) => name.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);

function walkGraph(bytes: Uint8Array, found: Found, depth: number): { inputs: Value[]; outputs: Value[] } {
  if (depth > MAX_DEPTH) throw new WireError(`graphs nested more than ${MAX_DEPTH} deep`);
  const initialised = new Set<string>();
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 1) walkNode(field.bytes, found, depth);
    if (field.number === 5) initialised.add(walkTensor(field.bytes, found));
    if (field.number === 15) walkSparse(field.bytes, found);
    if (field.number === 11) inputs.push(readValue(field.bytes));
    if (field.number === 12) outputs.push(readValue(field.bytes));
  }
  return { inputs: inputs.filter((input) => !initialised.has(input.name)), outputs };
}

function walkNode(bytes: Uint8Array, found: Found, depth: number): void {
  let operator = '';
  let domain = '';
  for (const field of fields(bytes)) {
    if (field.number === 4) operator = text(field);
    if (field.number === 7) domain = text(field);
    if (field.number === 5) walkAttribute(field.bytes, found, depth);
  }
  found.nodes++;
  found.operators.add(`${domain}::${operator}`);
}

function walkAttribute(bytes: Uint8Array, found: Found, depth: number): void {
  for (const field of fields(bytes)) {
    if (field.number === 5 || field.number === 10) walkTensor(field.bytes, found);
    if (field.number === 6 || field.number === 11) walkGraph(field.bytes, found, depth + 1);
    if (field.number === 22 || field.number === 23) walkSparse(field.bytes, found);
  }
}

/** A function of the file itself: its name as `domain::Name`; its nodes count like the graph's. */
function walkFunction(bytes: Uint8Array, found: Found): string {
  let name = '';
  let domain = '';
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    if (field.number === 10) domain = text(field);
    if (field.number === 7) walkNode(field.bytes, found, 0);
  }
  return `${domain}::${name}`;
}

function walkSparse(bytes: Uint8Array, found: Found): void {
  for (const field of fields(bytes)) if (field.number === 1 || field.number === 2) walkTensor(field.bytes, found);
}

/** The tensor's name; notes its size, and where its values are when not here. */
function walkTensor(bytes: Uint8Array, found: Found): string {
  const dims: number[] = [];
  let name = '';
  let external = false;
  let location = '';
  for (const field of fields(bytes)) {
    if (field.number === 1) dims.push(...integers(field));
    if (field.number === 8) name = text(field);
    if (field.number === 13) location = locationOf(field) ?? location;
    if (field.number === 13 || (field.number === 14 && field.value === 1)) external = true;
  }
  if (external) found.external.add(location || '(no name)');
  found.parameters += dims.reduce((product, size) => product * size, 1);
  return name;
}

/** StringStringEntryProto with the key `location`. */
function locationOf(entry: Field): string | undefined {
  let key = '';
  let value = '';
  for (const field of fields(entry.bytes)) {
    if (field.number === 1) key = text(field);
    if (field.number === 2) value = text(field);
  }
  return key === 'location' ? value : undefined;
}

/** ValueInfoProto: name 1, type 2 → tensor_type 1 → elem_type 1, shape 2 → dim 1 → value 1 or name 2. */
function readValue(bytes: Uint8Array): Value {
  let name = '';
  let type = 'no tensor';
  let shape: (number | string)[] | undefined;
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    if (field.number !== 2) continue;
    for (const kind of fields(field.bytes)) {
      if (kind.number !== 1) continue;
      for (const part of fields(kind.bytes)) {
        if (part.number === 1) type = TYPES[part.value] ?? `type ${part.value}`;
        if (part.number === 2) shape = [...fields(part.bytes)].filter((dim) => dim.number === 1).map((dim) => dimensionOf(dim.bytes));
      }
    }
  }
  return { name: printable(name), type, shape };
}

function dimensionOf(bytes: Uint8Array): number | string {
  for (const field of fields(bytes)) {
    // Exporters also write 0 and −1 for "any".
    if (field.number === 1) return field.value > 0 && field.value < 2 ** 31 ? field.value : '?';
    if (field.number === 2) return printable(text(field));
  }
  return '?';
}
