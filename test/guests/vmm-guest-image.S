/* The program of the VMs that vmm-states makes. */
	.section .rodata.guest_image, "a"
	.balign 8
	.global guest_image
guest_image:
	.incbin "vmm-guest.elf"
	.global guest_image_bytes_end
guest_image_bytes_end:
