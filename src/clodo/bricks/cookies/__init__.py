"""Logins of browsers: a session cookie that no script can read, guarded against other sites."""
