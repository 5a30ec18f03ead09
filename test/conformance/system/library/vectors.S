/* Entry, exception vectors that record and pass over, and the ways into and out of guarded code. No vector uses a stack. */
        .arch armv8-a
        .section .text.start, "ax"
        .global _start
_start:
        msr     daifset, #15
        msr     nzcv, xzr
        adrp    x1, stack_top
        add     x1, x1, :lo12:stack_top
        msr     spsel, #1
        mov     sp, x1
        adrp    x2, vectors
        add     x2, x2, :lo12:vectors
        msr     vbar_el1, x2
        isb
        bl      program
        bl      end

        .macro vector offset
        .balign 0x80
        msr     tpidr_el1, x0
        mov     x0, #\offset
        b       common
        .endm

        .balign 0x800
vectors:
        vector 0x000
        vector 0x080
        vector 0x100
        vector 0x180
        vector 0x200
        vector 0x280
        vector 0x300
        vector 0x380
        vector 0x400
        vector 0x480
        vector 0x500
        vector 0x580
        vector 0x600
        vector 0x680
        vector 0x700
        vector 0x780

        /* Fields of the save area. */
        .equ    SAVED_X1, 0
        .equ    SAVED_REST, 8           /* x2 .. x30 */
        .equ    SAVED_SP, 248
common:
        msr     tpidrro_el0, x1
        adrp    x1, inside_state
        add     x1, x1, :lo12:inside_state
        str     x2, [x1, #8]
        ldr     x2, [x1]
        cbnz    x2, nested
        adrp    x1, saved
        add     x1, x1, :lo12:saved
        stp     x3, x4, [x1, #SAVED_REST + 8]
        stp     x5, x6, [x1, #SAVED_REST + 24]
        stp     x7, x8, [x1, #SAVED_REST + 40]
        stp     x9, x10, [x1, #SAVED_REST + 56]
        stp     x11, x12, [x1, #SAVED_REST + 72]
        stp     x13, x14, [x1, #SAVED_REST + 88]
        stp     x15, x16, [x1, #SAVED_REST + 104]
        stp     x17, x18, [x1, #SAVED_REST + 120]
        stp     x19, x20, [x1, #SAVED_REST + 136]
        stp     x21, x22, [x1, #SAVED_REST + 152]
        stp     x23, x24, [x1, #SAVED_REST + 168]
        stp     x25, x26, [x1, #SAVED_REST + 184]
        stp     x27, x28, [x1, #SAVED_REST + 200]
        stp     x29, x30, [x1, #SAVED_REST + 216]
        adrp    x3, inside_state
        add     x3, x3, :lo12:inside_state
        ldr     x2, [x3, #8]
        str     x2, [x1, #SAVED_REST]
        mrs     x2, tpidrro_el0
        str     x2, [x1, #SAVED_X1]
        mov     x2, sp
        str     x2, [x1, #SAVED_SP]
        mov     x19, x1
        mov     x20, x0
        mrs     x21, esr_el1
        mrs     x22, elr_el1
        mrs     x23, far_el1
        mrs     x24, spsr_el1
        mov     x25, #0
        adrp    x4, look_inside
        ldr     x4, [x4, :lo12:look_inside]
        cbz     x4, 1f
        mov     x4, #1
        str     x4, [x3]
        svc     #0x7ffe
        str     xzr, [x3]
        ldr     x25, [x3, #16]
1:      adrp    x4, handler_stack_top
        add     x4, x4, :lo12:handler_stack_top
        mov     sp, x4
        /* record(struct raw *) with what is in registers, laid out on the stack. */
        mrs     x5, tpidr_el1
        ldr     x6, [x19, #SAVED_SP]
        stp     x6, x5, [sp, #-16]!
        stp     x24, x25, [sp, #-16]!
        stp     x22, x23, [sp, #-16]!
        stp     x20, x21, [sp, #-16]!
        mov     x0, sp
        bl      record
        /* x0: 0 go on, 1 leave guarded code; ELR and SPSR have been put on the stack. */
        ldp     x1, x2, [sp, #16]       /* elr, far */
        msr     elr_el1, x1
        ldr     x2, [sp, #32]           /* spsr */
        msr     spsr_el1, x2
        cbnz    x0, leave
        mov     x1, x19
        ldr     x2, [x1, #SAVED_SP]
        mov     sp, x2
        ldp     x3, x4, [x1, #SAVED_REST + 8]
        ldp     x5, x6, [x1, #SAVED_REST + 24]
        ldp     x7, x8, [x1, #SAVED_REST + 40]
        ldp     x9, x10, [x1, #SAVED_REST + 56]
        ldp     x11, x12, [x1, #SAVED_REST + 72]
        ldp     x13, x14, [x1, #SAVED_REST + 88]
        ldp     x15, x16, [x1, #SAVED_REST + 104]
        ldp     x17, x18, [x1, #SAVED_REST + 120]
        ldp     x19, x20, [x1, #SAVED_REST + 136]
        ldp     x21, x22, [x1, #SAVED_REST + 152]
        ldp     x23, x24, [x1, #SAVED_REST + 168]
        ldp     x25, x26, [x1, #SAVED_REST + 184]
        ldp     x27, x28, [x1, #SAVED_REST + 200]
        ldp     x29, x30, [x1, #SAVED_REST + 216]
        ldr     x2, [x1, #SAVED_REST]
        ldr     x1, [x1, #SAVED_X1]
        mrs     x0, tpidr_el1
        eret

        /* The SVC made in the handler: keep its SPSR, go back. */
nested:
        mrs     x2, spsr_el1
        and     x2, x2, #0x0fffffff      /* NZCV is UNKNOWN after an exception */
        str     x2, [x1, #16]
        ldr     x2, [x1, #8]
        mrs     x1, tpidrro_el0
        mrs     x0, tpidr_el1
        eret

        /* Back into `guarded`: x1 of the stack frame is what to return. */
leave:
        adrp    x1, guard
        add     x1, x1, :lo12:guard
        ldr     x0, [sp, #56]           /* x0 of the guarded code, or abandoned */
        ldp     x19, x20, [x1]
        ldp     x21, x22, [x1, #16]
        ldp     x23, x24, [x1, #32]
        ldp     x25, x26, [x1, #48]
        ldp     x27, x28, [x1, #64]
        ldp     x29, x30, [x1, #80]
        ldr     x2, [x1, #96]
        str     xzr, [x1, #104]
        mov     sp, x2
        msr     elr_el1, x30
        ldr     x2, [x1, #112]
        msr     spsr_el1, x2
        eret

        .text
        .macro keep_guard
        adrp    x9, guard
        add     x9, x9, :lo12:guard
        stp     x19, x20, [x9]
        stp     x21, x22, [x9, #16]
        stp     x23, x24, [x9, #32]
        stp     x25, x26, [x9, #48]
        stp     x27, x28, [x9, #64]
        stp     x29, x30, [x9, #80]
        mov     x10, sp
        str     x10, [x9, #96]
        mov     x10, #1
        str     x10, [x9, #104]
        mrs     x10, daif
        mov     x11, #5
        orr     x10, x10, x11
        str     x10, [x9, #112]
        .endm

        .global guarded
guarded:
        keep_guard
        mov     x9, x0
        mov     x0, x1
        blr     x9
        adrp    x9, guard
        add     x9, x9, :lo12:guard
        str     xzr, [x9, #104]
        ldr     x30, [x9, #88]
        ret

        .global at_el0
at_el0:
        keep_guard
        msr     elr_el1, x0
        msr     spsr_el1, x2
        adrp    x9, el0_stack_top
        add     x9, x9, :lo12:el0_stack_top
        msr     sp_el0, x9
        mov     x0, x1
        adrp    x30, el0_exit
        add     x30, x30, :lo12:el0_exit
        eret
el0_exit:
        svc     #0x700d

        .bss
        .balign 16
        .space  4096
        .global stack_top
stack_space: .space 16384
stack_top:
        .space  4096
handler_stack: .space 4096
handler_stack_top:
        .space  4096
el0_stack: .space 8192
        .global el0_stack_top
el0_stack_top:
saved:  .space  256
inside_state: .space 32
        .global guard
guard:  .space  128
