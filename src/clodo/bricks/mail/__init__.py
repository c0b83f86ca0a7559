"""Mail to users: addresses confirmed, forgotten passwords set anew."""
