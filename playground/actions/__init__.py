"""Every action is one row; menus, shortcuts, the palette and the shortcut list are made from it."""
