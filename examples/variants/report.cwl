cwlVersion: v1.2
class: CommandLineTool
label: Plot how many variants each sample has along the genome
requirements:
  DockerRequirement:
    dockerFile: {$include: Dockerfile}
    dockerImageId: example/variants
  InitialWorkDirRequirement:
    listing:
      - entryname: report.sh
        entry: |
          set -eu
          for vcf in "$@"; do
            name=`basename "$vcf" .vcf`
            grep -v '^#' "$vcf" | cut -f2,6 > "$name.dat" || true
          done
          {
            echo 'set terminal svg size 900,420 background "white"'
            echo 'set output "variants.svg"'
            echo 'set title "Variants along phage lambda (NC_001416.1)"'
            echo 'set xlabel "position (bp)"; set ylabel "quality (phred)"'
            echo 'set xrange [0:48502]; set yrange [0:*]; set key outside'
            printf 'plot '
            separator=
            for data in *.dat; do
              printf '%s"%s" using 1:2 with impulses lw 2 title "%s"' "$separator" "$data" "`basename $data .dat`"
              separator=', '
            done
            echo
          } > plot.gp
          gnuplot plot.gp
baseCommand: [sh, report.sh]
inputs:
  variants:
    type: File[]
    inputBinding: {position: 1}
outputs:
  plot:
    type: File
    outputBinding: {glob: variants.svg}
