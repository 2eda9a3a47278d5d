"""What people and schedules do with collections; each public function is one transaction and one audit event."""
