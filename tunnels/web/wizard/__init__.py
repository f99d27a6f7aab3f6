"""The wizard that makes a tunnel in four steps; its step forms serve for editing, too."""
