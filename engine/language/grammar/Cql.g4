/*
 * The grammar of the Clinical Quality Language 1.5.3, written for this project from the specification: Author's Guide,
 * Developer's Guide (lexical elements, operator precedence, tags) and Appendix A (syntax).
 *
 * It is left-factored, so that nearly every decision is taken on one token:
 *
 *  - `expression` and `term` are flat: operands and operators in the order written. Which operator binds tighter (the
 *    table "Order of operator precedence" of the Developer's Guide) is applied where the syntax tree is built, so that a
 *    chain of 20,000 operators is a loop here, not a recursion. `expression` holds the levels from `is null` down to
 *    `implies`; `term` those from `^` down to `+ - &`; `unary` the prefixes that bind tighter than `^`.
 *  - A query is a term followed by an alias: `(` and `[` need no lookahead.
 *  - `{ … }` is a list or a tuple; which of them its elements say. `Name { … }` is an instance selector.
 *
 * What this leaves open (an alias behind something that is no query source, a key that is no name, a reserved word as a
 * member) the builder of the tree checks, with a sentence of its own.
 */
grammar Cql;

@parser::members {
def deepen(self):
    """Called on entering each rule through which all nesting goes; a subclass counts and limits it."""

def rise(self):
    """Called on leaving such a rule."""
}

@lexer::members {
def ends_word(self):
    """Whether the word matched so far goes no further: `or beforehand` is `or` and a name."""
    following = self._input.LA(1)
    return not (following > 0 and (chr(following).isalnum() or following == 95))
}

// ------------------------------------------------------------------------------------------------ library

library
    : libraryDefinition? (definition | statement)* EOF
    ;

singleExpression
    : expression EOF
    ;

libraryDefinition
    : 'library' qualifiedIdentifier version?
    ;

version
    : 'version' STRING
    ;

definition
    : 'using' identifier version? called?
    | 'include' qualifiedIdentifier version? called?
    | accessModifier?
        ( 'parameter' identifier typeSpecifier? ('default' expression)?
        | 'codesystem' identifier ':' STRING version?
        | 'valueset' identifier ':' STRING version? codesystems?
        | 'code' identifier ':' STRING 'from' reference display?
        | 'concept' identifier ':' '{' reference (',' reference)* '}' display?
        )
    ;

called
    : 'called' identifier
    ;

accessModifier
    : 'public'
    | 'private'
    ;

codesystems
    : 'codesystems' '{' reference (',' reference)* '}'
    ;

display
    : 'display' STRING
    ;

statement
    : 'context' reference
    | 'define' accessModifier? (identifier ':' expression | functionDefinition)
    ;

functionDefinition
    : 'fluent'? 'function' memberName '(' (operandDefinition (',' operandDefinition)*)? ')' ('returns' typeSpecifier)?
        ':' ('external' | expression)
    ;

operandDefinition
    : referentialIdentifier typeSpecifier
    ;

// ------------------------------------------------------------------------------------------------ type specifiers

typeSpecifier
@init {self.deepen()}
    : 'List' '<' typeSpecifier '>'
    | 'Interval' '<' typeSpecifier '>'
    | 'Tuple' '{' tupleElementDefinition (',' tupleElementDefinition)* '}'
    | 'Choice' '<' typeSpecifier (',' typeSpecifier)* '>'
    | namedTypeSpecifier
    ;
    finally {self.rise()}

tupleElementDefinition
    : referentialIdentifier typeSpecifier
    ;

namedTypeSpecifier
    : typeName ('.' typeName)*
    ;

typeName
    : referentialIdentifier
    | 'Code'
    | 'Concept'
    ;

// ------------------------------------------------------------------------------------------------ expressions

expression
@init {self.deepen()}
    : operand
        ( 'is' ('not'? ('null' | 'true' | 'false') | typeSpecifier)
        | 'as' typeSpecifier
        | 'properly'? 'between' bound 'and' bound
        | ( '|' | 'union' | 'intersect' | 'except'
          | '<=' | '<' | '>' | '>='
          | '=' | '!=' | '~' | '!~'
          | 'and' | 'or' | 'xor' | 'implies'
          ) operand
        | ('in' | 'contains') precisionOf? operand
        | timingPhrase operand
        )*
    ;
    finally {self.rise()}

bound
@init {self.deepen()}
    : term
    ;
    finally {self.rise()}

// `cast` is closed by the next `as` of the same expression.
operand
    : ('not' | 'exists' | 'cast')* (term query? | fromQuery)
    ;

term
    : unary (('^' | '*' | '/' | 'div' | 'mod' | '+' | '-' | '&') unary)*
    ;

unary
    : unaryOperator* primary postfix*
    ;

unaryOperator
    : '+'
    | '-'
    | ('start' | 'end' | 'width' | 'successor' | 'predecessor') 'of'
    | ('singleton' | 'point') 'from'
    | (precision | 'date' | 'time' | 'timezone' | 'timezoneoffset') 'from'
    | ('duration' | 'difference') 'in' pluralPrecision 'of'
    ;

postfix
    : '.' memberName arguments?
    | '[' expression ']'
    | '{' (':' | element (',' element)*) '}'
    ;

arguments
    : '(' (expression (',' expression)*)? ')'
    ;

primary
    : referentialIdentifier arguments?
    | STRING
    | quantity (':' quantity)?
    | 'null' | 'true' | 'false'
    | LONGNUMBER | DATE_LITERAL | DATETIME_LITERAL | TIME_LITERAL
    | '$this' | '$index' | '$total'
    | '%' (identifier | STRING)
    | '(' expression ')'
    | retrieve
    | 'Interval' ('[' | '(') expression ',' expression (']' | ')')
    | 'Tuple'? '{' (':' | (element (',' element)*)?) '}'
    | 'List' ('<' typeSpecifier '>')? '{' (expression (',' expression)*)? '}'
    | codeSelector
    | 'Code' '{' (':' | element (',' element)*) '}'
    | 'Concept' '{' (':' | codeSelector (',' codeSelector)* | element (',' element)*) '}' display?
    | 'if' expression 'then' expression 'else' expression
    | 'case' expression? ('when' expression 'then' expression)+ 'else' expression 'end'
    | 'convert' expression 'to' (typeSpecifier | unit)
    | ('distinct' | 'flatten') expression
    | ('expand' | 'collapse') expression ('per' (precision | expression))?
    | ('minimum' | 'maximum') namedTypeSpecifier
    | ('duration' 'in' | 'difference' 'in')? pluralPrecision 'between' bound 'and' bound
    ;

// `value`, or `key: value` in a tuple or an instance
element
    : expression (':' expression)?
    ;

codeSelector
    : 'Code' STRING 'from' reference display?
    ;

quantity
    : NUMBER unit?
    ;

unit
    : STRING
    | precision
    | pluralPrecision
    ;

precision
    : 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond'
    ;

pluralPrecision
    : 'years' | 'months' | 'weeks' | 'days' | 'hours' | 'minutes' | 'seconds' | 'milliseconds'
    ;

precisionOf
    : precision 'of'
    ;

// ------------------------------------------------------------------------------------------------ timing phrases

timingPhrase
    : ('starts' | 'ends' | 'occurs') relativePhrase
    | relativePhrase
    | 'properly'? 'includes' precisionOf? boundary?
    | ('meets' | 'overlaps') ('before' | 'after')? precisionOf?
    | ('starts' | 'ends') precisionOf?
    ;

relativePhrase
    : 'same' precision? ('as' | OR_BEFORE | OR_AFTER) boundary?
    | 'properly'? ('during' | INCLUDED_IN) precisionOf?
    | 'properly'? 'within' quantity 'of' boundary?
    | (quantity (OR_MORE | OR_LESS)? | (MORE_THAN | LESS_THAN) quantity)?
        (ON_OR ('before' | 'after') | ('before' | 'after') OR_ON?) precisionOf? boundary?
    ;

boundary
    : 'start'
    | 'end'
    ;

// ------------------------------------------------------------------------------------------------ retrieves, queries

retrieve
    : '[' retrieveName ('->' retrieveName)? (':' expression)? ']'
    ;

// the context (an expression that is a qualified name) or the type
retrieveName
    : typeName ('.' typeName)*
    ;

// what follows the first source of a query
query
    : identifier (',' aliasedSource)* queryClauses
    ;

fromQuery
    : 'from' aliasedSource (',' aliasedSource)* queryClauses
    ;

aliasedSource
    : (retrieve | qualifiedReference | '(' expression ')') identifier
    ;

qualifiedReference
    : referentialIdentifier ('.' referentialIdentifier)*
    ;

queryClauses
    : letClause? relationship* whereClause? (aggregateClause | returnClause)? sortClause?
    ;

letClause
    : 'let' letItem (',' letItem)*
    ;

letItem
    : identifier ':' expression
    ;

relationship
    : ('with' | 'without') aliasedSource SUCH_THAT expression
    ;

whereClause
    : 'where' expression
    ;

returnClause
    : 'return' ('all' | 'distinct')? expression
    ;

aggregateClause
    : 'aggregate' ('all' | 'distinct')? identifier ('starting' startingValue)? ':' expression
    ;

startingValue
    : STRING
    | quantity
    | '(' expression ')'
    ;

sortClause
    : 'sort' (sortDirection | 'by' sortItem (',' sortItem)*)
    ;

sortItem
    : term sortDirection?
    ;

sortDirection
    : 'asc' | 'ascending' | 'desc' | 'descending'
    ;

// ------------------------------------------------------------------------------------------------ names

qualifiedIdentifier
    : identifier ('.' identifier)*
    ;

// `name`, or `library.name`; `timezone` (of CQL 1.3, in `timezone from`) is no keyword of 1.5
reference
    : identifier ('.' identifier)?
    ;

identifier
    : IDENTIFIER
    | DELIMITEDIDENTIFIER
    | QUOTEDIDENTIFIER
    | 'timezone'
    ;

// a name where it refers to something: also the keywords that are not reserved
referentialIdentifier
    : IDENTIFIER | DELIMITEDIDENTIFIER | QUOTEDIDENTIFIER | 'timezone'
    | 'asc' | 'ascending' | 'by' | 'called' | 'code' | 'codesystem' | 'codesystems' | 'concept' | 'contains'
    | 'context' | 'date' | 'default' | 'define' | 'desc' | 'descending' | 'display' | 'div' | 'end' | 'ends'
    | 'except' | 'fluent' | 'function' | 'implies' | 'include' | 'includes' | 'intersect' | 'library' | 'meets'
    | 'mod' | OR_AFTER | OR_BEFORE | OR_LESS | OR_MORE | 'overlaps' | 'parameter' | 'predecessor'
    | 'private' | 'public' | 'start' | 'starting' | 'starts' | 'successor' | 'time' | 'timezoneoffset' | 'union'
    | 'using' | 'valueset' | 'version' | 'where' | 'width' | 'xor'
    ;

// The name of a function may be any keyword; where it names an element, the builder refuses the reserved ones.
memberName
    : referentialIdentifier
    | 'after' | 'aggregate' | 'all' | 'and' | 'as' | 'before' | 'between' | 'case' | 'cast' | 'Code' | 'collapse'
    | 'Concept' | 'convert' | 'day' | 'days' | 'difference' | 'distinct' | 'duration' | 'during' | 'else' | 'exists'
    | 'expand' | 'false' | 'flatten' | 'from' | 'hour' | 'hours' | 'if' | 'in' | INCLUDED_IN | 'Interval' | 'is'
    | 'let' | 'List' | 'maximum' | 'millisecond' | 'milliseconds' | 'minimum' | 'minute' | 'minutes' | 'month'
    | 'months' | 'not' | 'null' | 'occurs' | 'of' | 'or' | 'per' | 'point' | 'properly' | 'return' | 'same'
    | 'second' | 'seconds' | 'singleton' | 'sort' | SUCH_THAT | 'then' | 'to' | 'true' | 'Tuple' | 'week'
    | 'weeks' | 'when' | 'with' | 'within' | 'without' | 'year' | 'years'
    ;

// ------------------------------------------------------------------------------------------------ tokens

AFTER: 'after';
AGGREGATE: 'aggregate';
ALL: 'all';
AND: 'and';
AS: 'as';
ASC: 'asc';
ASCENDING: 'ascending';
BEFORE: 'before';
BETWEEN: 'between';
BY: 'by';
CALLED: 'called';
CASE: 'case';
CAST: 'cast';
CHOICE: 'Choice';
CODE: 'code';
CODE_TYPE: 'Code';
CODESYSTEM: 'codesystem';
CODESYSTEMS: 'codesystems';
COLLAPSE: 'collapse';
CONCEPT: 'concept';
CONCEPT_TYPE: 'Concept';
CONTAINS: 'contains';
CONTEXT: 'context';
CONVERT: 'convert';
DATE: 'date';
DAY: 'day';
DAYS: 'days';
DEFAULT: 'default';
DEFINE: 'define';
DESC: 'desc';
DESCENDING: 'descending';
DIFFERENCE: 'difference';
DISPLAY: 'display';
DISTINCT: 'distinct';
DIV: 'div';
DURATION: 'duration';
DURING: 'during';
ELSE: 'else';
END: 'end';
ENDS: 'ends';
EXCEPT: 'except';
EXISTS: 'exists';
EXPAND: 'expand';
EXTERNAL: 'external';
FALSE: 'false';
FLATTEN: 'flatten';
FLUENT: 'fluent';
FROM: 'from';
FUNCTION: 'function';
HOUR: 'hour';
HOURS: 'hours';
IF: 'if';
IMPLIES: 'implies';
IN: 'in';
INCLUDE: 'include';
INCLUDES: 'includes';
INTERSECT: 'intersect';
INTERVAL: 'Interval';
IS: 'is';
LET: 'let';
LIBRARY: 'library';
LIST: 'List';
MAXIMUM: 'maximum';
MEETS: 'meets';
MILLISECOND: 'millisecond';
MILLISECONDS: 'milliseconds';
MINIMUM: 'minimum';
MINUTE: 'minute';
MINUTES: 'minutes';
MOD: 'mod';
MONTH: 'month';
MONTHS: 'months';
NOT: 'not';
NULL: 'null';
OCCURS: 'occurs';
OF: 'of';
OR: 'or';
OVERLAPS: 'overlaps';
PARAMETER: 'parameter';
PER: 'per';
POINT: 'point';
PREDECESSOR: 'predecessor';
PRIVATE: 'private';
PROPERLY: 'properly';
PUBLIC: 'public';
RETURN: 'return';
RETURNS: 'returns';
SAME: 'same';
SECOND: 'second';
SECONDS: 'seconds';
SINGLETON: 'singleton';
SORT: 'sort';
START: 'start';
STARTING: 'starting';
STARTS: 'starts';
SUCCESSOR: 'successor';
THEN: 'then';
TIME: 'time';
TIMEZONE: 'timezone';
TIMEZONEOFFSET: 'timezoneoffset';
TO: 'to';
TRUE: 'true';
TUPLE: 'Tuple';
UNION: 'union';
USING: 'using';
VALUESET: 'valueset';
VERSION: 'version';
WEEK: 'week';
WEEKS: 'weeks';
WHEN: 'when';
WHERE: 'where';
WIDTH: 'width';
WITH: 'with';
WITHIN: 'within';
WITHOUT: 'without';
XOR: 'xor';
YEAR: 'year';
YEARS: 'years';

COLON: ':';
COMMA: ',';
DOT: '.';
LEFT_PARENTHESIS: '(';
RIGHT_PARENTHESIS: ')';
LEFT_BRACKET: '[';
RIGHT_BRACKET: ']';
LEFT_BRACE: '{';
RIGHT_BRACE: '}';
ARROW: '->';
LESS_OR_EQUAL: '<=';
LESS: '<';
GREATER_OR_EQUAL: '>=';
GREATER: '>';
EQUAL: '=';
NOT_EQUAL: '!=';
EQUIVALENT: '~';
NOT_EQUIVALENT: '!~';
BAR: '|';
PLUS: '+';
MINUS: '-';
STAR: '*';
SLASH: '/';
CARET: '^';
AMPERSAND: '&';
PERCENT: '%';
DOLLAR_THIS: '$this';
DOLLAR_INDEX: '$index';
DOLLAR_TOTAL: '$total';

// Several words, one token: any white space between them, and the last word ends there.
INCLUDED_IN: 'included' SPACE+ 'in' {self.ends_word()}?;
LESS_THAN: 'less' SPACE+ 'than' {self.ends_word()}?;
MORE_THAN: 'more' SPACE+ 'than' {self.ends_word()}?;
ON_OR: 'on' SPACE+ 'or' {self.ends_word()}?;
OR_AFTER: 'or' SPACE+ 'after' {self.ends_word()}?;
OR_BEFORE: 'or' SPACE+ 'before' {self.ends_word()}?;
OR_LESS: 'or' SPACE+ 'less' {self.ends_word()}?;
OR_MORE: 'or' SPACE+ 'more' {self.ends_word()}?;
OR_ON: 'or' SPACE+ 'on' {self.ends_word()}?;
SUCH_THAT: 'such' SPACE+ 'that' {self.ends_word()}?;

IDENTIFIER: [A-Za-z_] [A-Za-z0-9_]*;
DELIMITEDIDENTIFIER: '`' ('\\' . | ~[`\\])* '`';
QUOTEDIDENTIFIER: '"' ('\\' . | ~["\\])* '"';
STRING: '\'' ('\\' . | ~['\\])* '\'';

NUMBER: DIGIT+ ('.' DIGIT+)?;
LONGNUMBER: DIGIT+ 'L';
DATE_LITERAL: '@' DAY_FORMAT;
DATETIME_LITERAL: '@' DAY_FORMAT 'T' TIME_FORMAT? OFFSET_FORMAT?;
TIME_LITERAL: '@T' TIME_FORMAT;

fragment DIGIT: [0-9];
fragment DAY_FORMAT: DIGIT DIGIT DIGIT DIGIT ('-' DIGIT DIGIT ('-' DIGIT DIGIT)?)?;
fragment TIME_FORMAT: DIGIT DIGIT (':' DIGIT DIGIT (':' DIGIT DIGIT ('.' DIGIT+)?)?)?;
fragment OFFSET_FORMAT: 'Z' | [+-] DIGIT DIGIT ':' DIGIT DIGIT;
fragment SPACE: [ \t\r\n];

WHITESPACE: [ \t\r\n\u00A0\uFEFF]+ -> skip;
COMMENT: '/*' .*? '*/' -> channel(HIDDEN);
LINE_COMMENT: '//' ~[\r\n]* -> channel(HIDDEN);

// What no rule above reads, so that the lexer never fails: each is a diagnostic of its own.
UNTERMINATED: ('\'' ('\\' . | ~['\\])* | '"' ('\\' . | ~["\\])* | '`' ('\\' . | ~[`\\])* | '/*' (~'*' | '*'+ ~[*/])* '*'*) EOF;
UNKNOWN_CHARACTER: .;
