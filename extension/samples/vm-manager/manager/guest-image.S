/* The guest's program, built before this one. */
	.section .rodata.guest_image, "a"
	.balign 8
	.global guest_image
guest_image:
	.incbin "guest.elf"
	.global guest_image_bytes_end
guest_image_bytes_end:
