type Node = Record<string, unknown>;

/**
 * Moves every object schema that has a title into `components.schemas` and leaves a `$ref`: the same
 * report or failure would otherwise stand in the document once for each route.
 */
export function hoistSchemas<T extends object>(document: T): T {
  const found: Record<string, Node> = {};
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const node = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, walk(child)]));
    if (typeof node.title !== 'string' || node.type !== 'object') return node;
    found[node.title] ??= node;
    return { $ref: `#/components/schemas/${node.title}` };
  };
  const { paths, components, ...rest } = document as Node;
  const walked = walk(paths);
  const schemas = Object.fromEntries(Object.entries(found).sort(([a], [b]) => a.localeCompare(b)));
  return { ...rest, components: { ...(components as Node), schemas }, paths: walked } as T;
}
