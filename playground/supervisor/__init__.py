"""The app's side of the engines: spawns them, watches them, lets them take turns, explains their end."""
