"""Names that a service cannot use, or that a reader will stumble over."""

from __future__ import annotations

#: Keys that rows may have of themselves (which of them, ``clashes.row_keys`` says).
ROW_KEYS = frozenset({"id", "created_at", "updated_at", "owner_id", "deleted_at"})

#: Entities whose routes would be taken for the service's own.
ROUTE_NAMES = frozenset({"auth"})

#: Tables that are there already.
TABLE_NAMES = frozenset({"d1_migrations"})

#: Keys with a meaning of their own in JavaScript objects.
OBJECT_KEYS = frozenset({"constructor", "prototype"})

#: List parameters: a field of that name could not be filtered by.
LIST_PARAMETERS = frozenset({"limit", "cursor", "sort", "q"})

#: Words of SQL (SQLite) and JavaScript. The generated code quotes them, so they work, but
#: anyone who writes a query by hand will trip over them.
SQL_KEYWORDS = frozenset(
    ["abort", "action", "add", "after", "all", "alter", "and", "as", "asc", "before", "begin", "between", "by", "cascade", "case", "cast", "check", "collate", "column", "commit", "constraint", "create", "cross", "current", "database", "default", "delete", "desc", "distinct", "drop", "each", "else", "end", "escape", "except", "exists", "explain", "fail", "filter", "for", "foreign", "from", "full", "glob", "group", "having", "if", "ignore", "immediate", "in", "index", "initially", "inner", "insert", "instead", "intersect", "into", "is", "isnull", "join", "key", "left", "like", "limit", "match", "natural", "no", "not", "notnull", "null", "of", "offset", "on", "or", "order", "outer", "over", "partition", "plan", "pragma", "primary", "query", "range", "recursive", "references", "regexp", "release", "rename", "replace", "restrict", "returning", "right", "rollback", "row", "rows", "savepoint", "select", "set", "table", "temp", "then", "to", "transaction", "trigger", "union", "unique", "update", "using", "vacuum", "values", "view", "virtual", "when", "where", "window", "with", "without"]
)
JS_KEYWORDS = frozenset(
    ["await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else", "enum", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "undefined", "var", "void", "while", "with", "yield"]
)
