"""Who takes mails: a webhook, or Cloudflare's mail binding."""
