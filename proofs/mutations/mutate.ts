import { parse } from '@babel/parser';
import { isRecord } from '../../shared/json.js';

/** One small change of a source, by which it becomes wrong. */
export interface Mutation {
  kind: string;
  line: number;
  /** What stands there, and what stands in its place. */
  from: string;
  to: string;
  /** Where, in characters of the source. */
  start: number;
  end: number;
}

interface Node extends Record<string, unknown> {
  type: string;
  start: number;
  end: number;
  loc: { start: { line: number } };
}

const swapped: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '-': '+',
  '*': '/',
};

/** What a person reads, wherever it stands: a changed word there is no fault of the logic. */
const texts = /^(?:what|why|next|evidence|remedy|summary|detail|message|title|description|note|hint)$/;
const telling = /^(?:progress|log|info|warn|warning|notice|debug|report|tell|say|describe|note)$/;
/** How long a pause takes tells nobody anything. */
const waiting = /^(?:sleep|pause)$/;
/** How many things are done at a time tells nobody anything either, nor how long is waited between two looks. */
const atOnce = /^(?:parallel|wait$)/;
/** From here on, the characters that are quoted of a text are a judgement. */
const fewestQuoted = 20;
/** Beyond this a number is a deadline or a size, whose exact value is a judgement. */
const mostCounted = 999;

/** Every change that is tried of a source: of its logic only, neither of types, imports nor texts. */
export function mutationsOf(source: string): Mutation[] {
  const { program } = parse(source, { sourceType: 'module', plugins: ['typescript'] });
  return inside(program.body, (node, to, kind) => ({
    kind,
    line: node.loc.start.line,
    from: source.slice(node.start, node.end),
    to: to(source),
    start: node.start,
    end: node.end,
  }));
}

/** The source with a change made. */
export function mutated(source: string, { start, end, to }: Mutation): string {
  return source.slice(0, start) + to + source.slice(end);
}

type Make = (node: Node, to: (source: string) => string, kind: string) => Mutation;

const isNode = (value: unknown): value is Node => isRecord(value) && typeof value.type === 'string';

function inside(value: unknown, make: Make): Mutation[] {
  if (Array.isArray(value)) return value.flatMap((one) => inside(one, make));
  if (!isNode(value) || isLeftAlone(value)) return [];
  return [...at(value, make), ...parts(value).flatMap((one) => inside(one, make))];
}

/** What is in a node and can go wrong: keys and words of types cannot. */
function parts(node: Node): unknown[] {
  const { type, key, loc, leadingComments, trailingComments, innerComments, ...rest } = node;
  if (/^TS(?:As|Satisfies|NonNull)/.test(type)) return [node.expression];
  if (isNothing(node.right) && (node.operator === '??' || type === 'AssignmentPattern')) return [node.left];
  if (type === 'TemplateLiteral' && isText(node)) return list(node.expressions).filter((one) => !isWordChoice(one));
  if (isQuote(node)) return [rest.callee];
  if (type === 'CallExpression' || type === 'NewExpression') return [rest.callee, rest.arguments];
  return node.computed === true ? [key, ...Object.values(rest)] : Object.values(rest);
}

function isLeftAlone(node: Node): boolean {
  if (/^TS(?!As|Satisfies|NonNull)|^Import|^ExportAll|^TypeAnnotation/.test(node.type)) return true;
  if (node.type === 'ObjectProperty' || node.type === 'ClassProperty') return isAside(nameOf(node.key));
  if (node.type === 'VariableDeclarator') return isAside(nameOf(node.id));
  if (node.type === 'BinaryExpression') return productOf(node) > mostCounted;
  if (node.type === 'NewExpression') return /^(?:Type|Range)?Error$/.test(nameOf(node.callee));
  return isTelling(node) || (node.type === 'CallExpression' && waiting.test(nameOf(node.callee)));
}

/** The beginning of a text that is shown, such as `name.slice(0, 80)`. */
function isQuote({ type, callee, arguments: given }: Node): boolean {
  const [from, to] = list(given);
  return (
    type === 'CallExpression' && nameOf(callee) === 'slice' && productOf(from) === 0 && productOf(to) >= fewestQuoted
  );
}

/** The value of a number, or of a product of numbers: `16 * 1024` is a size too. Not a number for anything else. */
function productOf(node: unknown): number {
  if (!isNode(node)) return Number.NaN;
  if (node.type === 'NumericLiteral') return Number(node.value);
  const isProduct = node.type === 'BinaryExpression' && node.operator === '*';
  return isProduct ? productOf(node.left) * productOf(node.right) : Number.NaN;
}

const isAside = (name: string): boolean => texts.test(name) || atOnce.test(name);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** An empty text in place of one that is not there: the types ask for it, and nothing is called so. */
function isNothing(node: unknown): boolean {
  return isNode(node) && node.type === 'StringLiteral' && node.value === '';
}

/** More than a word, made for a person to read. */
function isText({ quasis }: Node): boolean {
  return list(quasis).some((one) => isNode(one) && isRecord(one.value) && /\S\s+\S|^\s+\S/.test(String(one.value.raw)));
}

/** One word or another, as in `${count} thing${count === 1 ? '' : 's'} left`. */
function isWordChoice(node: unknown): boolean {
  if (!isNode(node) || node.type !== 'ConditionalExpression') return false;
  return [node.consequent, node.alternate].every((one) => isNode(one) && /^(?:String|Template)Literal$/.test(one.type));
}

function isTelling(node: Node): boolean {
  return node.type === 'CallExpression' && telling.test(nameOf(node.callee));
}

/** The name of what is called, declared or set; of `a.b` it is `b`. */
function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  if (/^(?:Optional)?MemberExpression$/.test(node.type)) return nameOf(node.property);
  return typeof node.name === 'string' ? node.name : '';
}

/** Changes of one node, apart from what is in it. */
function at(node: Node, make: Make): Mutation[] {
  const text = (of: unknown) => (source: string) => (isNode(of) ? source.slice(of.start, of.end) : '');
  switch (node.type) {
    case 'IfStatement':
    case 'WhileStatement':
    case 'ConditionalExpression':
      return isNode(node.test) ? [make(node.test, (source) => `!(${text(node.test)(source)})`, 'negated')] : [];
    case 'BinaryExpression':
    case 'LogicalExpression': {
      const to =
        node.type === 'LogicalExpression'
          ? logical(node.operator)
          : isMoment(node)
            ? undefined
            : swapped[String(node.operator)];
      const [left, right] = [text(node.left), text(node.right)];
      const both = (source: string): string => `(${left(source)} ${to} ${right(source)})`;
      return to === undefined ? [] : [make(node, both, `${node.operator} is ${to}`)];
    }
    case 'UnaryExpression':
      return node.operator === '!' ? [make(node, (source) => `(${text(node.argument)(source)})`, '! is dropped')] : [];
    case 'BooleanLiteral':
      return [make(node, () => String(node.value !== true), 'another constant')];
    case 'NumericLiteral': {
      const value = Number(node.value);
      return value > mostCounted ? [] : [make(node, () => String(value + 1), 'another constant')];
    }
    case 'StringLiteral':
      return /\s/.test(String(node.value))
        ? []
        : [make(node, () => `'${node.value}~'`, 'another constant')].filter(safe);
    case 'ThrowStatement':
      return [make(node, () => ';', 'throw is dropped')];
    case 'ExpressionStatement':
      return isCall(node.expression) ? [make(node, () => ';', 'statement is dropped')] : [];
    case 'CallExpression':
      return called(node, make, text);
    default:
      return [];
  }
}

/** A comparison with the clock: it is not read at the very moment that a deadline is. */
function isMoment({ left, right, operator }: Node): boolean {
  const isClock = (one: unknown): boolean =>
    isNode(one) && one.type === 'CallExpression' && nameOf(one.callee) === 'now';
  return /[<>]/.test(String(operator)) && (isClock(left) || isClock(right));
}

const safe = ({ to }: Mutation): boolean => !/[\\\n]/.test(to) && to.split("'").length === 3;
const logical = (operator: unknown): string | undefined =>
  operator === '&&' ? '||' : operator === '||' ? '&&' : undefined;

function isCall(node: unknown): boolean {
  if (!isNode(node)) return false;
  if (node.type === 'AwaitExpression') return isCall(node.argument);
  return node.type === 'CallExpression' && !isTelling(node) && !waiting.test(nameOf(node.callee));
}

function called(node: Node, make: Make, text: (of: unknown) => (source: string) => string): Mutation[] {
  const { callee } = node;
  if (!isNode(callee) || callee.type !== 'MemberExpression' || !isNode(callee.property)) return [];
  const name = nameOf(callee.property);
  const other = name === 'some' ? 'every' : name === 'every' ? 'some' : undefined;
  if (other !== undefined) return [make(callee.property, () => other, `${name} is ${other}`)];
  return name === 'filter' ? [make(node, text(callee.object), 'filter is dropped')] : [];
}
